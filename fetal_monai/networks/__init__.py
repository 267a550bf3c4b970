"""Networks that MONAI does not have, one a file, and what a network costs."""

from fetal_monai.networks.bisenet import BiSeNet
from fetal_monai.networks.complexity import Complexity, complexity

__all__ = ["BiSeNet", "Complexity", "complexity"]
