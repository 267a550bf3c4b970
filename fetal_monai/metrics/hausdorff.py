"""Hausdorff distance in millimetres, for images of different pixel spacings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import torch
from monai.metrics import Cumulative, compute_hausdorff_distance

from fetal_monai.biometry import FailedFit, HeadMeasurement


class HausdorffDistanceMm(Cumulative):
    """Hausdorff distance between the outlines of two masks in mm, per image and averaged.

    MONAI's metric, given each image its own pixel spacing. NaN, and left out of the mean, where a mask is empty or
    the pixel spacing unknown.

    Args:
        percentile: None for the maximum, or e.g. 95 for the robust variant.
    """

    def __init__(self, percentile: float | None = None) -> None:
        super().__init__()
        self.percentile = percentile

    def __call__(
        self, y_pred: Sequence[torch.Tensor], y: Sequence[tuple[torch.Tensor, HeadMeasurement | FailedFit]]
    ) -> None:
        """Add a batch of one-hot masks (2, H, W); each reference comes with its head, which knows the pixel spacing."""
        distances = [
            self._distance_mm(predicted, reference, head)
            for predicted, (reference, head) in zip(y_pred, y, strict=True)
        ]
        self.extend(torch.tensor(distances).unsqueeze(1))

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the images that have a distance (NaN if there are none)."""
        return self.get_buffer().nanmean()

    def _distance_mm(
        self, predicted: torch.Tensor, reference: torch.Tensor, head: HeadMeasurement | FailedFit
    ) -> float:
        if not isinstance(head, HeadMeasurement) or head.pixel_spacing_mm is None:
            return float("nan")
        with warnings.catch_warnings():
            # MONAI 1.6 warns, at every call, of an argument that it passes to itself.
            warnings.simplefilter("ignore", FutureWarning)
            distance = compute_hausdorff_distance(
                predicted.unsqueeze(0),
                reference.unsqueeze(0),
                percentile=self.percentile,
                spacing=list(head.pixel_spacing_mm),
            ).item()
        return distance if math.isfinite(distance) else float("nan")
