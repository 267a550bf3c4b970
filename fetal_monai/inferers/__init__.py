"""Inferers: how a network is applied to a batch."""

from fetal_monai.inferers.autocast import AutocastInferer, fastest_dtype
from fetal_monai.inferers.localisation import LocalisationInferer

__all__ = ["AutocastInferer", "LocalisationInferer", "fastest_dtype"]
