"""PyTorch as the engine: on GPUs, and where no other engine is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fetal_monai.inferers.autocast import AutocastInferer, fastest_dtype
from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.runtimes.graph import load_graph


class TorchRuntime:
    """A network in PyTorch: eager on a CPU; compiled, and in bfloat16 where the GPU computes it, on CUDA.

    Args:
        bundle: The network.
        precision: "fp32", "bf16", or "auto" for the device's own.
        device: "cpu", "cuda" or "cuda:1".

    Raises:
        ValueError: The precision is neither, or the device is not there.
    """

    engine = "torch"

    def __init__(self, bundle: SegmentationBundle, precision: str = "auto", device: str = "cpu") -> None:
        if precision not in ("auto", "fp32", "bf16"):
            raise ValueError(f"PyTorch computes in fp32 or bf16 here, got precision={precision!r}.")
        self.device = torch.device(device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"device={device!r}: PyTorch finds no CUDA device here; use device='cpu'.")
        on_gpu = self.device.type == "cuda"
        fastest = fastest_dtype(self.device) if on_gpu else None
        dtype = {"auto": fastest, "fp32": None, "bf16": torch.bfloat16}[precision]
        self.precision = "bf16" if dtype else "fp32"
        graph = load_graph(bundle)
        network = graph.network.to(memory_format=torch.channels_last)
        # Only the network is in the lower precision: statistics of gray levels need more digits.
        graph.network = _Autocast(torch.compile(network) if on_gpu else network, AutocastInferer(dtype))
        self._graph = graph.to(self.device)

    def __call__(self, gray: NDArray[Any]) -> NDArray[np.float32]:
        """See `fetal_monai.runtimes.Runtime`."""
        with torch.inference_mode():
            frames = torch.from_numpy(np.ascontiguousarray(gray)).to(self.device)
            return self._graph(frames.contiguous(memory_format=torch.channels_last)).float().cpu().numpy()


class _Autocast(torch.nn.Module):
    def __init__(self, network: Any, inferer: AutocastInferer) -> None:
        super().__init__()
        self.network = network
        self.inferer = inferer

    def forward(self, image: torch.Tensor) -> Any:
        return self.inferer(image, self.network)
