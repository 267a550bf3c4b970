"""The sector of a probe: its place on a frame and its polar image. Needs no PyTorch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
