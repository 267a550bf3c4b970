"""Weights on disk."""

from .pretrained import Pretrained, load_pretrained
from .trained import load_weights, publish_weights

__all__ = ["Pretrained", "load_pretrained", "load_weights", "publish_weights"]
