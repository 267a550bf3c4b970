"""Measured head circumference and its difference from the reference, in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from monai.metrics import Cumulative

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.failed_estimate import FailedEstimate

Head: TypeAlias = HeadMeasurement | FailedEstimate


class HeadCircumferenceDifference(Cumulative):
    """Predicted minus reference head circumference in mm, per image and averaged.

    The HC18 challenge's "difference" and, with `absolute`, "absolute difference" (van den Heuvel et al. 2018,
    doi:10.1371/journal.pone.0200412). An image whose head could not be measured, or whose pixel
    spacing is unknown, has no difference: it is NaN in the buffer and left out of the mean, so read the mean together
    with the fraction of heads measured.

    Args:
        absolute: Take each image's absolute difference.
    """

    def __init__(self, absolute: bool = False) -> None:
        super().__init__()
        self.absolute = absolute

    def __call__(self, y_pred: Sequence[Head], y: Sequence[Head]) -> None:
        """Add a batch: measurements of the predicted and of the reference masks, in the same order."""
        differences = torch.tensor([_difference_mm(p, r) for p, r in zip(y_pred, y, strict=True)]).unsqueeze(1)
        self.extend(differences.abs() if self.absolute else differences)

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the measured images (NaN if there are none)."""
        return self.get_buffer().nanmean()


class HeadCircumference(Cumulative):
    """Predicted head circumference in mm, per image and averaged.

    NaN for an image whose head could not be measured or whose pixel spacing is unknown. Subtracting
    `HeadCircumferenceDifference` gives that of the reference.
    """

    def __call__(self, y_pred: Sequence[Head], y: Sequence[Head]) -> None:
        """Add a batch: only the predicted measurements count."""
        self.extend(torch.tensor([_head_circumference_mm(predicted) for predicted in y_pred]).unsqueeze(1))

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the measured images (NaN if there are none)."""
        return self.get_buffer().nanmean()


class HeadsMeasured(Cumulative):
    """Fraction of the images whose predicted mask gave a head measurement."""

    def __call__(self, y_pred: Sequence[Head], y: Sequence[Head]) -> None:
        """Add a batch: only the predicted measurements count."""
        self.extend(torch.tensor([float(bool(predicted)) for predicted in y_pred]).unsqueeze(1))

    def aggregate(self) -> torch.Tensor:
        """Return the fraction, 0 to 1."""
        return self.get_buffer().mean()


def _difference_mm(predicted: HeadMeasurement | FailedEstimate, reference: HeadMeasurement | FailedEstimate) -> float:
    return _head_circumference_mm(predicted) - _head_circumference_mm(reference)


def _head_circumference_mm(head: HeadMeasurement | FailedEstimate) -> float:
    scaled = isinstance(head, HeadMeasurement) and head.pixel_spacing_mm is not None
    return head.head_circumference_mm if scaled else float("nan")
