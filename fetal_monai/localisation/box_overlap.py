"""How well a box matches the expert's."""

from __future__ import annotations

import numpy as np
from monai.data.box_utils import box_iou

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box


def box_overlap(box: Box | FailedEstimate, reference: Box) -> float:
    """Intersection over union of a box and the expert's; 0 without a box, because the region was missed.

    Raises:
        ValueError: A box ends before it begins, or the expert's holds no pixel.
    """
    x_min, y_min, x_max, y_max = reference
    if not (x_min < x_max and y_min < y_max):
        raise ValueError(f"A reference box must have x_min < x_max and y_min < y_max, got {reference}.")
    if not box:
        return 0.0
    return float(box_iou(np.array([box], dtype=np.float64), np.array([reference], dtype=np.float64))[0, 0])
