"""Which part of a frame may be shared: the ultrasound, without the text around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.geometry import UltrasoundRegion

Box: TypeAlias = tuple[int, int, int, int]
"""First column and row, last column and row, px, as DICOM states regions."""
_WHOLE_FRAME = 0.95
"""Regions that cover a larger share of the frame do not leave out the text that stands around the ultrasound."""
_Pixel = TypeVar("_Pixel", bound=np.generic)


@dataclass(frozen=True, eq=False)
class KeptPart:
    """The part of a frame that is kept.

    Attributes:
        is_kept: Which pixels of the frame are kept, (H, W).
        regions: The ultrasound regions that are kept, on the cropped frame.
    """

    is_kept: NDArray[np.bool_]
    regions: tuple[UltrasoundRegion, ...]

    def cut(self, pixels: NDArray[_Pixel]) -> NDArray[_Pixel]:
        """Crop a frame, or its mask, to what is kept; between several regions it is 0.

        Args:
            pixels: (H, W).
        """
        left, top, right, bottom = _bounds(self.is_kept)
        cut: NDArray[Any] = np.where(self.is_kept, pixels, np.zeros((), pixels.dtype))
        return cut[top : bottom + 1, left : right + 1]


def kept_part(shape: tuple[int, int], regions: Sequence[UltrasoundRegion], crop: Box | None = None) -> KeptPart:
    """Find the part of a frame that is kept: its ultrasound regions, and of them what is in `crop`.

    Args:
        shape: (H, W) of the frame.
        regions: The 2-D tissue regions that its header states.
        crop: What the user states to be free of text; None for the regions.

    Raises:
        FrameError: Nothing tells where the text is: there is no region, or they are (almost) the whole frame, and no
            `crop`.
            Or `crop` and the regions have nothing in common.
    """
    height, width = shape
    whole = (0, 0, width - 1, height - 1)
    frame = whole if crop is None else _common(crop, whole)
    on_frame = [(region, _common(_box(region, whole), frame)) for region in regions if region.is_on(shape)]
    boxes = [box for _, box in on_frame] if on_frame else [frame]
    is_kept = np.zeros(shape, dtype=np.bool_)
    for left, top, right, bottom in boxes:
        is_kept[top : bottom + 1, left : right + 1] = True
    if crop is None and (not on_frame or is_kept.mean() > _WHOLE_FRAME):
        stated = (
            "its ultrasound regions are (almost) the whole frame"
            if on_frame
            else "its header states no ultrasound region"
        )
        raise FrameError(
            f"{stated}, so text about the patient may be a part of the picture. Look at it, and state what to keep by "
            "--crop X0,Y0,X1,Y1."
        )
    if not is_kept.any():
        raise FrameError(f"no ultrasound is in the part that --crop keeps of its {width} x {height} px.")
    x, y, _, _ = _bounds(is_kept)
    moved = [
        replace(region, left=left - x, top=top - y, right=right - x, bottom=bottom - y)
        for region, (left, top, right, bottom) in on_frame
        if left <= right and top <= bottom
    ]
    return KeptPart(is_kept, tuple(moved))


def _box(region: UltrasoundRegion, whole: Box) -> Box:
    box = (region.left, region.top, region.right, region.bottom)
    return box if any(box) else whole


def _common(first: Box, second: Box) -> Box:
    """What two boxes have in common; its last column or row is before its first one if that is nothing."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    # Not below -1: as the end of a slice, it would count from the other side.
    return left, top, max(min(first[2], second[2]), -1), max(min(first[3], second[3]), -1)


def _bounds(is_kept: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(is_kept.any(axis=1)), np.flatnonzero(is_kept.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
