"""VGG with batch normalisation, without its classifier."""

from __future__ import annotations

import torch
from torch import nn

# Convolutions between one pooling and the next.
_CONVOLUTIONS = {"vgg13_bn": (2, 2, 2, 2, 2), "vgg16_bn": (2, 2, 3, 3, 3)}
_CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """The convolutions of VGG-13 or VGG-16 with batch normalisation.

    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015
    (arXiv:1409.1556). The parameters have torchvision's names ("features.0.weight", ...), so that its ImageNet weights
    load. The last pooling is left out: the map is 14x14 for 224 px.

    Args:
        depth: "vgg13_bn" or "vgg16_bn".
        in_channels: Channels of the image.

    Shapes:
        (B, in_channels, H, W), both sides at least 16 px -> (B, 512, H // 16, W // 16).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, depth: str, in_channels: int = 3) -> None:
        super().__init__()
        if depth not in _CONVOLUTIONS:
            raise ValueError(f"depth must be one of {sorted(_CONVOLUTIONS)}, got {depth!r}.")
        if in_channels < 1:
            raise ValueError(f"in_channels must be at least 1, got {in_channels}.")
        layers: list[nn.Module] = []
        before = in_channels
        for convolutions, channels in zip(_CONVOLUTIONS[depth], _CHANNELS, strict=True):
            for _ in range(convolutions):
                convolution = nn.Conv2d(before, channels, kernel_size=3, padding=1)
                nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
                layers += [convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
                before = channels
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        self.features = nn.Sequential(*layers[:-1])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the feature map of a batch of images; see the class for the shapes."""
        return self.features(image)
