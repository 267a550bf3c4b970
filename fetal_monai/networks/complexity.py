"""Cost of a network: parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True)
class Complexity:
    """The cost of one forward pass.

    Attributes:
        parameters: Trainable parameters.
        gmacs: Billions of multiply-accumulates of the convolutions and matrix products, for one image. Papers on
            segmentation often print this number as "GFLOPs"; counted strictly, a multiply-accumulate is two FLOPs.
    """

    parameters: int
    gmacs: float

    def __str__(self) -> str:
        return f"{self.parameters / 1e6:.2f} M parameters, {self.gmacs:.2f} GMAC"


def complexity(network: nn.Module, input_shape: Sequence[int]) -> Complexity:
    """Count the parameters, and the multiply-accumulates of one image of shape (C, H, W) in evaluation.

    Counted on PyTorch's meta device: nothing is computed and the network is left as it is.

    Raises:
        ValueError: If the network cannot take an input of that shape.
    """
    # A meta tensor has a shape and no values: the count costs neither time nor memory.
    counted = deepcopy(network).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        try:
            counted(torch.empty(1, *input_shape, device="meta"))
        except RuntimeError as error:
            raise ValueError(
                f"{type(network).__name__} cannot take an input of shape {tuple(input_shape)} (channels, rows, "
                "columns). Networks that halve it several times need multiples of 16 or 32: choose another "
                f"spatial_size. ({error})"
            ) from error
    return Complexity(
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        gmacs=counter.get_total_flops() / 2 / 1e9,
    )
