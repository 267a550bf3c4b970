"""Hausdorff distance in millimetres, for images of different pixel spacings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.metrics import Cumulative, compute_hausdorff_distance


class HausdorffDistanceMm(Cumulative):
    """Hausdorff distance between the outlines of two masks in mm, per image and averaged.

    MONAI's metric, given each image its own pixel spacing. NaN, and left out of the mean, where a mask is empty.

    Args:
        percentile: None for the maximum, or e.g. 95 for the robust variant.
    """

    def __init__(self, percentile: float | None = None) -> None:
        super().__init__()
        self.percentile = percentile

    def __call__(self, y_pred: Sequence[torch.Tensor], y: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Add a batch of one-hot masks (2, H, W), the references each with its (row, column) pixel spacing in mm."""
        distances = [
            compute_hausdorff_distance(
                predicted.unsqueeze(0),
                reference.unsqueeze(0),
                percentile=self.percentile,
                spacing=[float(length) for length in pixel_spacing_mm],
            )
            for predicted, (reference, pixel_spacing_mm) in zip(y_pred, y, strict=True)
        ]
        buffer = torch.cat(distances)
        self.extend(torch.where(buffer.isfinite(), buffer, torch.nan))

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the images that have a distance (NaN if there are none)."""
        return self.get_buffer().nanmean()
