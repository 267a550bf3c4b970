"""How a network is applied to a batch."""

from fetal_monai.inferers.autocast import AutocastInferer, fastest_dtype

__all__ = ["AutocastInferer", "fastest_dtype"]
