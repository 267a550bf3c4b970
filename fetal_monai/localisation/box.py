"""A box on an image, or the reason why there is none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from monai.data.box_utils import box_iou

from fetal_monai.failed_estimate import FailedEstimate


class Box(NamedTuple):
    """A box around pixels, half-open: it holds the columns x_min <= x < x_max and the rows y_min <= y < y_max.

    So `image[y_min:y_max, x_min:x_max]` is what it encloses, `x_max - x_min` is its width in px, and it is a row of
    MONAI's "xyxy" boxes. With pixel centres at integers its edges lie at x_min - 0.5 and x_max - 0.5.

    Attributes:
        x_min: first column.
        y_min: first row.
        x_max: one past the last column.
        y_max: one past the last row.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float


def box_overlap(box: Box | FailedEstimate, reference: Box) -> float:
    """Intersection over union of a box and the expert's; 0 where there is no box: a region that was missed.

    Raises:
        ValueError: if a box ends before it begins, or the expert's holds no pixel.
    """
    x_min, y_min, x_max, y_max = reference
    if not (x_min < x_max and y_min < y_max):
        raise ValueError(f"A reference box must have x_min < x_max and y_min < y_max, got {reference}.")
    if not box:
        return 0.0
    return float(box_iou(np.array([box], dtype=np.float64), np.array([reference], dtype=np.float64))[0, 0])
