"""PyTorch as the engine: on GPUs, and where no other engine is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fetal_monai.inferers.autocast import AutocastInferer, fastest_dtype
from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.runtimes.graph import FrameGraph, load_graph


class TorchRuntime:
    """A graph in PyTorch: eager on a CPU, compiled on CUDA.

    Args:
        graph: The network with its normalisation; it is changed.
        dtype: The network's own, lower precision; None for fp32.
        device: "cpu", "cuda" or "cuda:1".
    """

    engine = "torch"

    def __init__(self, graph: FrameGraph, dtype: torch.dtype | None, device: torch.device) -> None:
        self.precision = "fp32" if dtype is None else "bf16"
        self.device = device
        network: Any = graph.network
        network = network.to(device, memory_format=torch.channels_last)
        compiled = torch.compile(network) if device.type == "cuda" else network
        # Only the network computes in a lower precision: the statistics of gray levels need more digits.
        graph.network = AutocastNetwork(compiled, dtype)
        self._graph = graph

    def __call__(self, gray: NDArray[Any]) -> NDArray[np.float32]:
        """See `fetal_monai.runtimes.Runtime`."""
        with torch.inference_mode():
            frames = torch.from_numpy(gray).to(self.device, memory_format=torch.channels_last)
            return self._graph(frames).cpu().numpy()


class AutocastNetwork(nn.Module):
    """A network under `AutocastInferer`, as the bundles run it."""

    def __init__(self, network: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.network = network
        self.inferer = AutocastInferer(dtype)

    def forward(self, image: torch.Tensor) -> Any:
        """Return the logits in float32."""
        return self.inferer(image, self.network)


def load(bundle: SegmentationBundle, precision: str = "auto", device: str = "cpu") -> TorchRuntime:
    """Load a bundle's network into PyTorch.

    Args:
        bundle: The network.
        precision: "fp32", "bf16", or "auto": on CUDA bf16 where the GPU computes it, else fp32.
        device: "cpu", "cuda" or "cuda:1".

    Raises:
        ValueError: Another precision is asked for, or the device is not there.
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise ValueError(f"PyTorch computes in fp32 or bf16 here, got precision={precision!r}.")
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={device!r}: PyTorch finds no CUDA device here; use device='cpu'.")
    automatic = fastest_dtype(place) if place.type == "cuda" else None
    dtype = {"auto": automatic, "fp32": None, "bf16": torch.bfloat16}[precision]
    return TorchRuntime(load_graph(bundle), dtype, place)
