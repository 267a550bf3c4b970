"""Weights on disk."""

from fetal_monai.weights.trained import load_weights, publish_weights

__all__ = ["load_weights", "publish_weights"]
