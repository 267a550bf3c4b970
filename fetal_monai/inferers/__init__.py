"""How a network is applied to a batch."""

from .autocast import AutocastInferer, fastest_dtype

__all__ = ["AutocastInferer", "fastest_dtype"]
