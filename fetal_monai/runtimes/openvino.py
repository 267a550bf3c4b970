"""OpenVINO as the engine: the fastest on the CPUs that were tried."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.runtimes.export import cached_model, exported

INT8_NAME = "model_int8.xml"
WEIGHTS_SHA256 = ["fetal_monai", "weights_sha256"]  # where an int8 model says which weights it was made of


class OpenVinoRuntime:
    """A model in OpenVINO on the CPU.

    Args:
        model: From (N, 1, H, W) to (N, H, W).
        precision: "int8" for a quantised model; of any other, "bf16" or "fp32".
    """

    engine = "openvino"

    def __init__(self, model: openvino.Model, precision: str) -> None:
        self.precision = precision
        # Without a hint OpenVINO would compute in bf16 where it can, whatever was asked for.
        hint = "bf16" if precision == "bf16" else "f32"
        self._model = shared_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint})

    def __call__(self, gray: NDArray[Any]) -> NDArray[np.float32]:
        """See `fetal_monai.runtimes.Runtime`."""
        return np.array(self._model(gray.astype(np.float32, copy=False))[0])


@cache
def shared_core() -> openvino.Core:
    """The one core of this process, which is never destroyed.

    The CPU plugin of a core sets up a stack for signal handlers. It frees that stack when the core is destroyed, even
    where this happens in another thread or where a later core uses it: the next signal would end the process.
    """
    return openvino.Core()


def load(bundle: SegmentationBundle, precision: str = "auto") -> OpenVinoRuntime:
    """Load a bundle's network into OpenVINO.

    Args:
        bundle: The network.
        precision: "int8", "bf16", "fp32", or "auto": int8 where a model of these weights is in the bundle or the
            cache, else bf16 where the CPU computes it in hardware, else fp32.

    Raises:
        FileNotFoundError: There is no int8 model of these weights.
        ImportError: The network is not exported yet, and the packages for it are not installed.
        ValueError: The CPU has no bf16.
    """
    core = shared_core()
    int8 = _int8_model(bundle) if precision in ("auto", "int8") else None
    has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "auto":
        precision = "int8" if int8 else "bf16" if has_bf16 else "fp32"
    if precision == "int8" and int8 is None:
        raise FileNotFoundError(
            f"There is no int8 model of {bundle.weights} in the bundle or the cache; write one with "
            f"python -m fetal_monai.runtimes.quantise --bundle {bundle.root} --dataset_dir DATASET"
        )
    if precision == "bf16" and not has_bf16:
        raise ValueError("precision='bf16': this CPU does not compute bfloat16 in hardware; use 'fp32'.")
    return OpenVinoRuntime(int8 or core.read_model(exported(bundle)), precision)


def int8_paths(bundle: SegmentationBundle) -> tuple[Path, Path]:
    """Where the bundle and the cache keep the int8 model."""
    return bundle.weights.with_name(INT8_NAME), cached_model(bundle, INT8_NAME)


def _int8_model(bundle: SegmentationBundle) -> openvino.Model | None:
    """The int8 model of exactly these weights and size, if there is one."""
    for path in int8_paths(bundle):
        if path.is_file():
            model = shared_core().read_model(path)
            size = tuple(length.get_length() for length in list(model.input().partial_shape)[2:])
            made_of = model.get_rt_info(WEIGHTS_SHA256).value if model.has_rt_info(WEIGHTS_SHA256) else None
            if made_of == bundle.weights_sha256 and size == bundle.spatial_size:
                return model
    return None
