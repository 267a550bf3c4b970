"""ONNX Runtime as the engine: it runs nearly everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.runtimes.export import exported


class OnnxRuntime:
    """A model in ONNX Runtime, in fp32 on the CPU.

    Args:
        path: Of the model, from (N, 1, H, W) to (N, H, W).
    """

    engine = "onnxruntime"
    precision = "fp32"

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def __call__(self, gray: NDArray[Any]) -> NDArray[np.float32]:
        """See `fetal_monai.runtimes.Runtime`."""
        (probability,) = self._session.run(None, {"gray": gray.astype(np.float32, copy=False)})
        return np.asarray(probability)


def load(bundle: SegmentationBundle, precision: str = "auto") -> OnnxRuntime:
    """Load a bundle's network into ONNX Runtime.

    Args:
        bundle: The network.
        precision: "fp32" or "auto".

    Raises:
        ImportError: The network is not exported yet, and the packages for it are not installed.
        ValueError: Another precision is asked for.
    """
    if precision not in ("auto", "fp32"):
        raise ValueError(f"ONNX Runtime computes in fp32 here, got precision={precision!r}.")
    return OnnxRuntime(exported(bundle))
