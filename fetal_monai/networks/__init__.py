"""Networks that MONAI does not have, one a file; what a network costs; loading its weights."""

from .bisenet import BiSeNet
from .complexity import Complexity, complexity
from .weights import load_weights

__all__ = ["BiSeNet", "Complexity", "complexity", "load_weights"]
