"""Overlap of two masks, by any measure of the confusion matrix."""

from __future__ import annotations

from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric, compute_confusion_matrix_metric, get_confusion_matrix


class Overlap(CumulativeIterationMetric):
    """One measure of the confusion matrix, per image and averaged over the images.

    MONAI's `ConfusionMatrixMetric` keeps the four counts of each image; this one keeps the measure, which is what a
    table of results per image lists. The background channel is left out. NaN (a precision without any positive
    pixel, say) is left out of the mean.

    Args:
        name: As for `monai.metrics.ConfusionMatrixMetric`: "f1 score" (Dice), "threat score" (Jaccard), "sensitivity",
            "specificity", "precision", ...
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        counts = get_confusion_matrix(y_pred, y, include_background=False)
        return compute_confusion_matrix_metric(self.name, counts)

    def aggregate(self) -> torch.Tensor:
        """Return the mean over the images."""
        return self.get_buffer().nanmean()
