"""Trainers that MONAI does not provide."""

from fetal_monai.engines.adversarial_segmentation import AdversarialSegmentationTrainer

__all__ = ["AdversarialSegmentationTrainer"]
