"""DeepLab-v2: a dilated ResNet with summed atrous branches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.networks.nets import ResNet
from torch import nn

_BLOCKS = {"resnet26": [2, 2, 2, 2], "resnet50": [3, 4, 6, 3], "resnet101": [3, 4, 23, 3]}
_BACKBONE_CHANNELS = 2048


def dilated_resnet(depth: str, in_channels: int = 3) -> ResNet:
    """Return a bottleneck ResNet without classifier, at output stride 8.

    MONAI's ResNet with torchvision's parameter names, so that its ImageNet weights load. Its strides in layer3 and
    layer4 are turned into dilations 2 and 4 of every 3x3 convolution there, and its max pooling rounds up, as in the
    original: 321 px give 41, 256 give 33.

    Args:
        depth: "resnet26" (two blocks a layer, as in timm), "resnet50" or "resnet101".
        in_channels: Channels of the image.
    """
    if depth not in _BLOCKS:
        raise ValueError(f"depth must be one of {sorted(_BLOCKS)}, got {depth!r}.")
    backbone = ResNet(
        block="bottleneck",
        layers=_BLOCKS[depth],
        block_inplanes=[64, 128, 256, 512],
        spatial_dims=2,
        n_input_channels=in_channels,
        conv1_t_stride=2,
        shortcut_type="B",
        bias_downsample=False,
        feed_forward=False,
    )
    backbone.maxpool.ceil_mode = True
    for layer, dilation in ((backbone.layer3, 2), (backbone.layer4, 4)):
        for module in layer.modules():
            if isinstance(module, nn.Conv2d):
                module.stride = (1, 1)
                if module.kernel_size == (3, 3):
                    module.dilation = module.padding = (dilation, dilation)
    return backbone


class AtrousPyramid(nn.Module):
    """Parallel 3x3 convolutions of different dilations, summed (ASPP-L of the paper).

    All branches count: the best-known public code returns after the second.
    """

    def __init__(self, in_channels: int, num_classes: int, dilations: tuple[int, ...] = (6, 12, 18, 24)) -> None:
        super().__init__()
        self.branches = nn.ModuleList()
        for rate in dilations:
            branch = nn.Conv2d(in_channels, num_classes, kernel_size=3, padding=rate, dilation=rate)
            nn.init.normal_(branch.weight, std=0.01)
            self.branches.append(branch)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the sum of the branches: (B, in_channels, h, w) -> (B, num_classes, h, w)."""
        return torch.stack([branch(features) for branch in self.branches]).sum(dim=0)


class DeepLabV2(nn.Module):
    """DeepLab-v2 without CRF and multi-scale input.

    Chen et al., "DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully
    Connected CRFs", TPAMI 2018 (doi:10.1109/TPAMI.2017.2699184). 42.6 M parameters with ResNet-101 and two classes.

    Args:
        in_channels: Channels of the image; a gray frame is repeated to 3, as for ImageNet weights.
        num_classes: Classes of the softmax, the background among them.
        depth: "resnet101", "resnet50" or "resnet26".

    Shapes:
        (B, in_channels, H, W) -> logits (B, num_classes, H, W).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 2, depth: str = "resnet101") -> None:
        super().__init__()
        if in_channels < 1:
            raise ValueError(f"in_channels must be at least 1, got {in_channels}.")
        if num_classes < 2:
            raise ValueError(f"num_classes counts the background too and must be at least 2, got {num_classes}.")
        self.backbone = dilated_resnet(depth, in_channels)
        self.aspp = AtrousPyramid(_BACKBONE_CHANNELS, num_classes)

    def features(self, image: torch.Tensor) -> torch.Tensor:
        """Return the backbone's map, (B, 2048, h, w) at an eighth of the image's size."""
        backbone = self.backbone
        features = backbone.maxpool(backbone.act(backbone.bn1(backbone.conv1(image))))
        return backbone.layer4(backbone.layer3(backbone.layer2(backbone.layer1(features))))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment a batch of images; see the class for the shapes."""
        logits = self.aspp(self.features(image))
        return F.interpolate(logits, size=image.shape[2:], mode="bilinear", align_corners=False)
