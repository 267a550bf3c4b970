"""Save the measured ellipse as an ellipse label, which can be used for training.

`fetal_monai.transforms` does not import this module, so that its XML library is needed only for writing XML.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.preparation.ellipse_label import EllipseLabel, write_ellipse_label
from fetal_monai.transforms.save_about_frame import SaveAboutFramed


class SaveEllipseLabeld(SaveAboutFramed):
    """Writes the ellipse as XML, see `fetal_monai.data.preparation.ellipse_label`; nothing if there is no head.

    The keys are the masks (C, H, W) on the frame's own pixel grid; ``<key>_head`` holds their measurement, see
    `MeasureHeadd`. See `SaveAboutFramed` for the arguments.
    """

    default_ending = "_ellipse"

    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the ellipse."""
        head = item[f"{key}_head"]
        if isinstance(head, HeadMeasurement):
            height, width = item[key].shape[-2:]
            label = EllipseLabel(frame.name, (height, width), head.ellipse_px, head.pixel_spacing_mm)
            write_ellipse_label(self.path(frame, ".xml"), label)
