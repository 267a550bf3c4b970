"""Losses that MONAI does not have."""

from fetal_monai.losses.adversarial import AdversarialLoss

__all__ = ["AdversarialLoss"]
