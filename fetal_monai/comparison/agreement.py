"""Agreement between the measured head circumference and the label: bias and limits (Bland and Altman 1986)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.comparison.methods import Method

_PREDICTED, _DIFFERENCE = "head_circumference_mm", "head_circumference_difference_mm"


@dataclass(frozen=True)
class Agreement:
    """Bland and Altman's comparison of two measurements (doi:10.1016/S0140-6736(86)90837-8).

    Attributes:
        method: Name of the method whose measurements are compared with the label.
        mean_mm: Mean of both values, for each measured frame of each seed.
        difference_mm: Measured value minus the label's.
        unmeasured: Number of frames, over all seeds, in which no head could be measured.
    """

    method: str
    mean_mm: NDArray[np.float64]
    difference_mm: NDArray[np.float64]
    unmeasured: int

    @property
    def bias_mm(self) -> float:
        """The mean difference."""
        return float(self.difference_mm.mean())

    @property
    def limits_mm(self) -> tuple[float, float]:
        """The limits of agreement: bias -+ 1.96 sample standard deviations."""
        reach = 1.96 * float(self.difference_mm.std(ddof=1))
        return self.bias_mm - reach, self.bias_mm + reach


def agreement(method: Method) -> Agreement | None:
    """Return the agreement over all seeds; None if fewer than two frames have a measured HC.

    The frames of all seeds are pooled, not averaged: a single training does not measure as well as the mean of several.
    """
    if not all(method.has_per_image(metric) for metric in (_PREDICTED, _DIFFERENCE)):
        return None
    predicted, difference = (
        np.concatenate([each.per_image[metric].to_numpy(dtype=float) for each in method.evaluations])
        for metric in (_PREDICTED, _DIFFERENCE)
    )
    measured = ~np.isnan(difference)
    if measured.sum() < 2:
        return None
    return Agreement(
        method=method.name,
        mean_mm=predicted[measured] - difference[measured] / 2,
        difference_mm=difference[measured],
        unmeasured=int((~measured).sum()),
    )
