"""Weights on disk."""

from fetal_monai.weights.pretrained import Pretrained, load_pretrained
from fetal_monai.weights.trained import load_weights, publish_weights

__all__ = ["Pretrained", "load_pretrained", "load_weights", "publish_weights"]
