"""Conversion of colour to gray."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BT_601", "BT_709", "luminance"]

BT_601 = np.array([0.299, 0.587, 0.114])  # the weights of Pillow
BT_709 = np.array([0.2125, 0.7154, 0.0721])  # the weights of ITK


def luminance(colour: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Compute the gray levels (H, W) of a colour image (H, W, 3).

    Args:
        colour: Red, green and blue.
        weights: Weights of the three colours, `BT_601` or `BT_709`.
    """
    gray = np.empty(colour.shape[:2], np.float32)
    # Row by row, because NumPy would copy the whole image to 64 bits.
    for levels, pixels in zip(gray, colour, strict=True):
        levels[...] = pixels @ weights
    return gray
