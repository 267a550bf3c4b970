"""What every engine does for a network."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ENGINES = {"openvino": ("int8", "bf16", "fp32"), "onnxruntime": ("fp32",), "torch": ("bf16", "fp32")}
"""The engines, the fastest first, and the precisions that each computes in."""
PRECISIONS = ("int8", "bf16", "fp32")


class Runtime(Protocol):
    """A network on an engine.

    Attributes:
        engine: One of `ENGINES`.
        precision: One of `PRECISIONS`.
    """

    engine: str
    precision: str

    def __call__(self, gray: NDArray[Any]) -> NDArray[np.float32]:
        """The head's probability.

        Args:
            gray: (N, 1, H, W), gray levels of frames resized to the network's size, not normalised.

        Returns:
            (N, H, W), 0..1.
        """
        ...
