"""Boxes around pixels, and the coordinates of their edges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """A half-open box around pixels: the columns x_min <= x < x_max and the rows y_min <= y < y_max.

    `image[y_min:y_max, x_min:x_max]` is what it encloses, `x_max - x_min` is its width in px, and it is a row of
    MONAI's "xyxy" boxes. Every box in this package is one: in the label tables, in data lists, in arrays (N, 4) and in
    the tables of results. `box_edges` gives its edges in the coordinates of points.

    Attributes:
        x_min: First column.
        y_min: First row.
        x_max: One past the last column.
        y_max: One past the last row.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float


def box_edges(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Edges of boxes in the coordinates of points, in which pixel centres are at integers.

    Args:
        boxes: (N, 4), each row a `Box`.

    Returns:
        (N, 4) of (left, top, right, bottom), px: a box of the columns 3 to 6 has its edges at x = 2.5 and x = 6.5.

    Raises:
        ValueError: `boxes` is not (N, 4).
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"Boxes must be an array (N, 4) of {', '.join(Box._fields)}, got shape {boxes.shape}.")
    return boxes - 0.5


def boxes_from_edges(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The boxes (N, 4) with these edges, the inverse of `box_edges`."""
    return edges + 0.5
