"""The fully convolutional discriminator of adversarial segmentation."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


class FullyConvolutionalDiscriminator(nn.Module):
    """Judges, for each pixel, whether a map of class probabilities is a label or a prediction.

    Hung et al., "Adversarial Learning for Semi-Supervised Semantic Segmentation", BMVC 2018 (arXiv:1802.07934):
    four 4x4 convolutions of stride 2 with LeakyReLU, a fifth to one channel, resized to the input. Receptive field
    94 px, stride 32; 2,763,713 parameters for two classes. It has no normalisation layer: its output for one image
    does not depend on the others.

    Args:
        num_classes: Channels of the probability map, the background among them.
        width: Channels of the first convolution; each later one doubles them.

    Shapes:
        (B, num_classes, H, W), softmax probabilities or a one-hot label -> logits (B, 1, H, W), above zero for
        "label". The sigmoid belongs to the loss.

    Raises:
        ValueError: If an argument is out of its range, or (in `forward`) a map is under 32 px high or wide.
    """

    def __init__(self, num_classes: int = 2, width: int = 64) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"num_classes counts the background too and must be at least 2, got {num_classes}.")
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}.")
        channels = [num_classes, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, kernel_size=4, stride=2, padding=1))

    def forward(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Judge a batch of maps; see the class for the shapes."""
        height, width = probabilities.shape[2:]
        if height < 32 or width < 32:
            raise ValueError(
                f"The discriminator halves its input five times and needs at least 32x32 px, got {height}x{width}. "
                "Enlarge spatial_size."
            )
        return F.interpolate(self.layers(probabilities), size=(height, width), mode="bilinear", align_corners=False)
