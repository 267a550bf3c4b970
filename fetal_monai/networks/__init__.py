"""Networks that MONAI does not have, one a file, and what a network costs."""

from .bisenet import BiSeNet
from .complexity import Complexity, complexity

__all__ = ["BiSeNet", "Complexity", "complexity"]
