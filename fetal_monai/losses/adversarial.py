"""Adversarial loss of segmentation network and discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class AdversarialLoss(nn.Module):
    """Binary cross-entropy of the discriminator's output, averaged over the pixels.

    It trains both networks: the discriminator to classify labels as real and predictions as fake, the segmentation
    network to have its predictions classified as real (Hung et al. 2018, eqs. 2 and 4, arXiv:1802.07934). MONAI's
    `PatchAdversarialLoss(criterion="bce")` is the same in exact arithmetic; taken from the logits, it stays finite
    where the sigmoid is rounded to 0 or 1.
    """

    def forward(self, logits: torch.Tensor, target_is_real: bool) -> torch.Tensor:
        """Return the loss of logits of any shape, as a scalar."""
        target = torch.ones_like(logits) if target_is_real else torch.zeros_like(logits)
        return F.binary_cross_entropy_with_logits(logits, target)
