"""The whole way from resized gray frames to the head's probability as one PyTorch module."""

from __future__ import annotations

from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import nn

from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.weights import load_weights


class FrameGraph(nn.Module):
    """Normalises gray frames, runs the network, and gives the head's probability: (N, 1, H, W) -> (N, H, W).

    Args:
        network: From normalised frames to logits: one channel, or one a class with the head last.
        normalisation: The bundle's transforms between the resized frame and the network.
    """

    def __init__(self, network: nn.Module, normalisation: list[dict[str, Any]]) -> None:
        super().__init__()
        self.network = network
        self.normalisation = normalisation

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        """Return the probability of every pixel."""
        image = gray.float()
        for step in self.normalisation:
            image = _normalised(image, step)
        logits = self.network(image)
        return (logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1))[:, -1]


def load_graph(bundle: SegmentationBundle) -> FrameGraph:
    """The graph of a bundle with its weights, in evaluation mode.

    Raises:
        ValueError: The weights are damaged or another network's, or the config normalises in a way that is not known.
    """
    parser = ConfigParser(bundle.config | {"bundle_root": str(bundle.root)})
    network = load_weights(parser.get_parsed_content("network_def"), bundle.weights)
    graph = FrameGraph(network, bundle.normalisation).eval()
    for step in graph.normalisation:
        _normalised(torch.zeros(1, 1, 2, 2), step)
    return graph


def _normalised(image: torch.Tensor, step: dict[str, Any]) -> torch.Tensor:
    """What a transform of MONAI does to a frame, for every frame of a batch (N, C, H, W)."""
    arguments = {key: value for key, value in step.items() if key not in ("_target_", "keys")}
    match step["_target_"], arguments:
        case "RepeatChanneld", {"repeats": repeats, **rest} if not rest:
            return image.expand(-1, int(repeats), -1, -1)
        case "ScaleIntensityd", {**rest} if not rest:
            low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
            return (image - low) / (high - low)
        case "NormalizeIntensityd", {**rest} if not rest:
            centred = image - image.mean((1, 2, 3), keepdim=True)
            return centred / centred.square().mean((1, 2, 3), keepdim=True).sqrt()
        case "NormalizeIntensityd", {"subtrahend": mean, "divisor": deviation, "channel_wise": True, **rest} if (
            not rest
        ):
            per_channel = (torch.tensor(values).view(1, -1, 1, 1).to(image) for values in (mean, deviation))
            return (image - next(per_channel)) / next(per_channel)
    raise ValueError(f"The transform {step} is not one that runs outside MONAI; use python -m monai.bundle.")
