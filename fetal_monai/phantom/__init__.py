"""Simulated ultrasound frames with exact ground truth: the fetal head, and frames of all seven classes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
