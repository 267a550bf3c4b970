"""The measures shown in tables: their keys in MLflow and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measure:
    """One column of a table.

    Attributes:
        key: Name of the metric in MLflow.
        heading: Heading of the column, with the unit.
        factor: Factor from the metric's unit to the column's.
        digits: Number of digits after the decimal point.
    """

    key: str
    heading: str
    factor: float = 1.0
    digits: int = 2

    def text(self, values: Sequence[float]) -> str:
        """Return the mean over runs with its sample standard deviation; an empty text if there is no value."""
        mean, spread = mean_and_spread(values)
        if np.isnan(mean):
            return ""
        text = f"{mean * self.factor:.{self.digits}f}"
        # The deviation of equal values may be a rounding error and not 0.
        return f"{text} ± {spread * self.factor:.{self.digits}f}" if max(values) > min(values) else text


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and sample standard deviation; NaN where there are too few values."""
    count = len(values)
    return (
        float(np.mean(values)) if count else float("nan"),
        float(np.std(values, ddof=1)) if count > 1 else float("nan"),
    )


ALL_METHODS = (
    Measure("dice", "Dice %", 100),
    Measure("jaccard", "IoU %", 100),
    Measure("precision", "precision %", 100),
    Measure("sensitivity", "recall %", 100),
    Measure("specificity", "specificity %", 100),
    Measure("head_circumference_absolute_difference_mm", "HC MAE mm"),
    Measure("head_circumference_difference_mm", "HC bias mm"),
    Measure("hausdorff_distance_mm", "HD mm"),
    Measure("hausdorff_distance_95_mm", "HD95 mm"),
    Measure("mean_surface_distance_mm", "surface distance mm"),
    Measure("heads_measured", "heads measured %", 100, 1),
    Measure("accuracy_mean", "accuracy %", 100),
    Measure("average_precision_mean", "average precision %", 100),
    Measure("iou_mean", "box IoU %", 100),
    Measure("parameters", "parameters M", 1e-6),
    Measure("gmacs", "GMAC"),
    Measure("ms_per_frame", "ms per frame", 1, 1),
)

PAIRED = (
    Measure("dice", "Dice %", 100),
    Measure("head_circumference_absolute_difference_mm", "HC MAE mm"),
    Measure("hausdorff_distance_mm", "HD mm"),
    Measure("right", "correct frames %", 100),
    Measure("iou", "box IoU %", 100),
)
