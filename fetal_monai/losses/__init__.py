"""Losses that MONAI does not provide."""

from fetal_monai.losses.adversarial import AdversarialLoss

__all__ = ["AdversarialLoss"]
