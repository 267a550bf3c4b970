"""Checks of points and image shapes given as arguments."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_points(points: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two coordinates of points (..., 2), as float64.

    Raises:
        ValueError: The last axis is not 2.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim < 1 or points.shape[-1] != 2:
        raise ValueError(f"Points must be an array (..., 2), got shape {points.shape}.")
    return points[..., 0], points[..., 1]


def check_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """(H, W) as two positive integers.

    Raises:
        TypeError: A length is not an integer.
        ValueError: Not two lengths, or one is not positive.
    """
    lengths = tuple(index(length) for length in shape)
    if len(lengths) != 2 or min(lengths) < 1:
        raise ValueError(f"The shape of an image must be (H, W), two positive numbers, got {tuple(shape)}.")
    return lengths[0], lengths[1]
