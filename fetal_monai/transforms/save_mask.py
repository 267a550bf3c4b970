"""Save a predicted mask in the format of its frame."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.utils import convert_to_numpy

from fetal_monai.data import mask_suffix, write_mask
from fetal_monai.transforms.save_about_frame import SaveAboutFramed


class SaveFrameMaskd(SaveAboutFramed):
    """Writes the mask under each key in the frame's format and geometry, see `fetal_monai.data.write_mask`.

    The masks are label maps (1, H, W) or one-hot (C, H, W) whose last channel is the head, on the frame's own pixel
    grid. See `SaveAboutFramed` for the arguments.

    Raises:
        ValueError: (when called) a mask is not of its frame's size.
    """

    default_ending = "_mask"

    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the mask."""
        write_mask(convert_to_numpy(item[key])[-1] > 0.5, frame, self.path(frame, mask_suffix(frame)))
