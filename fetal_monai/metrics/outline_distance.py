"""Distances between two outlines in millimetres, for images of different pixel spacings."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from monai.metrics import Cumulative, compute_average_surface_distance, compute_hausdorff_distance


class OutlineDistanceMm(Cumulative):
    """A distance between the outlines of two masks in mm, per image and averaged.

    MONAI's metric, given each image its own pixel spacing. NaN, and left out of the mean, where a mask is empty or
    the pixel spacing unknown.
    """

    def __call__(self, y_pred: Sequence[torch.Tensor], y: Sequence[tuple[torch.Tensor, Sequence[Any]]]) -> None:
        """Add a batch.

        Args:
            y_pred: Predicted one-hot masks (2, H, W).
            y: Reference masks, each with its (row, column) pixel spacing in mm, NaN where it is unknown.
        """
        distances = [
            self._distance_mm(predicted, reference, [float(length) for length in spacing])
            for predicted, (reference, spacing) in zip(y_pred, y, strict=True)
        ]
        self.extend(torch.tensor(distances).unsqueeze(1))

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the images that have a distance (NaN if there are none)."""
        return self.get_buffer().nanmean()

    @abstractmethod
    def _distance(self, predicted: torch.Tensor, reference: torch.Tensor, spacing: list[float]) -> torch.Tensor:
        """Return the distance (1, 1) of one-hot masks (1, 2, H, W) in the unit of the spacing."""

    def _distance_mm(self, predicted: torch.Tensor, reference: torch.Tensor, pixel_spacing_mm: list[float]) -> float:
        if not all(map(math.isfinite, pixel_spacing_mm)):
            return float("nan")
        with warnings.catch_warnings():
            # MONAI 1.6 warns, at every call, of an argument that it passes to itself.
            warnings.simplefilter("ignore", FutureWarning)
            distance = self._distance(predicted.unsqueeze(0), reference.unsqueeze(0), pixel_spacing_mm).item()
        return distance if math.isfinite(distance) else float("nan")


class HausdorffDistanceMm(OutlineDistanceMm):
    """Hausdorff distance: the largest distance of a point on one outline from the other outline.

    Args:
        percentile: None for the maximum, or e.g. 95 for the robust variant.
    """

    def __init__(self, percentile: float | None = None) -> None:
        super().__init__()
        self.percentile = percentile

    def _distance(self, predicted: torch.Tensor, reference: torch.Tensor, spacing: list[float]) -> torch.Tensor:
        return compute_hausdorff_distance(predicted, reference, percentile=self.percentile, spacing=spacing)


class SurfaceDistanceMm(OutlineDistanceMm):
    """Mean surface distance: the mean over the points of both outlines of their distance from the other one."""

    def _distance(self, predicted: torch.Tensor, reference: torch.Tensor, spacing: list[float]) -> torch.Tensor:
        return compute_average_surface_distance(predicted, reference, symmetric=True, spacing=spacing)
