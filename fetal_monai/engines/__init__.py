"""Trainers that MONAI does not have."""

from fetal_monai.engines.adversarial_segmentation import AdversarialSegmentationTrainer

__all__ = ["AdversarialSegmentationTrainer"]
