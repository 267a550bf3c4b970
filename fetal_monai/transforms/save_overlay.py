"""Draw the measurement on the frame, for checking by eye."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.utils import convert_to_numpy

from fetal_monai.data import read_frame
from fetal_monai.files import atomic_path
from fetal_monai.reporting.head_overlay import draw_overlay
from fetal_monai.transforms.save_about_frame import SaveAboutFramed


class SaveHeadOverlayd(SaveAboutFramed):
    """Writes a PNG of the frame with the mask's outline, the ellipse, its axes (OFD, BPD) and a caption.

    The caption gives HC, BPD, OFD and the gestational ages, or the reason why there are none, and why a measurement
    should be checked by eye. The frame is read again from its file, in its own resolution; where the pixels are not
    square the picture is stretched so that the anatomy is true.

    The keys are the masks; ``<key>_head`` holds their measurement, see `MeasureHeadd`. See `SaveAboutFramed` for
    the arguments.
    """

    default_ending = "_overlay"

    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the picture."""
        mask = convert_to_numpy(item[key])[-1] > 0.5
        spacing_source = item.get("pixel_spacing_source", "")
        picture = draw_overlay(read_frame(frame).pixels, mask, item[f"{key}_head"], frame.name, spacing_source)
        with atomic_path(self.path(frame, ".png")) as temporary:
            picture.save(temporary)
