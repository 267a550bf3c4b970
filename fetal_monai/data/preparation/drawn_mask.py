"""Masks of the fetal head that were drawn elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.reading import read_frame

_LISTED = 5


def read_drawn_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask in which 0 is background and one other value, such as 1 or 255, is head.

    Args:
        path: The mask, of any kind that `read_frame` reads.

    Returns:
        (H, W), True for the head.

    Raises:
        FileNotFoundError: There is no such file.
        FrameError: The file cannot be read, is empty, or holds other values than 0 and one more.
    """
    pixels = read_frame(path).pixels
    values = np.unique(pixels)
    if len(values) != 2 or values[0] != 0:
        found = ", ".join(f"{value:g}" for value in values[:_LISTED]) + (", ..." if len(values) > _LISTED else "")
        raise FrameError(
            f"{path}: the mask holds the values {found}; expected 0 (background) and one other value (head). Draw the "
            "head, or save the mask without smoothing in a lossless format such as PNG."
        )
    return pixels > 0
