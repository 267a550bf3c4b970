"""BiSeNet: a spatial and a context path, fused, for real-time segmentation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.networks.blocks import Convolution
from monai.networks.nets import resnet18
from torch import nn

_RESNET18_LAYER3_CHANNELS = 256
_RESNET18_LAYER4_CHANNELS = 512


def _conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int, strides: int = 1) -> Convolution:
    return Convolution(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=kernel_size,
        strides=strides,
        norm="batch",
        act="relu",
        bias=False,
    )


def _resize(features: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=False)


class SpatialPath(nn.Sequential):
    """Three strided convolutions that keep the detail: (B, C, H, W) -> (B, 4 * width, H/8, W/8)."""

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__(
            _conv_bn_relu(in_channels, width, 3, strides=2),
            _conv_bn_relu(width, 2 * width, 3, strides=2),
            _conv_bn_relu(2 * width, 4 * width, 3, strides=2),
        )
        self.out_channels = 4 * width


class AttentionRefinement(nn.Module):
    """Weights each channel by its average over the map: global average -> 1x1 -> batch norm -> sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the weighted features, of the shape of `features`."""
        pooled = features.mean(dim=(2, 3), keepdim=True)
        return features * torch.sigmoid(self.norm(self.conv(pooled)))


class ContextPath(nn.Module):
    """ResNet-18 with attention refinement on 1/16 and 1/32, and a global-average tail.

    The backbone keeps torchvision's parameter names, so that its ImageNet weights load into `backbone`.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.backbone = resnet18(
            spatial_dims=2,
            n_input_channels=in_channels,
            conv1_t_stride=2,
            shortcut_type="B",
            bias_downsample=False,
            feed_forward=False,
        )
        self.refine_16 = AttentionRefinement(_RESNET18_LAYER3_CHANNELS)
        self.refine_32 = AttentionRefinement(_RESNET18_LAYER4_CHANNELS)
        self.out_channels = _RESNET18_LAYER3_CHANNELS + _RESNET18_LAYER4_CHANNELS

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the refined features at 1/16 (256 channels) and 1/32 (512 channels) of the image's size."""
        backbone = self.backbone
        features = backbone.maxpool(backbone.act(backbone.bn1(backbone.conv1(image))))
        features_16 = backbone.layer3(backbone.layer2(backbone.layer1(features)))
        features_32 = backbone.layer4(features_16)
        tail = features_32.mean(dim=(2, 3), keepdim=True)
        return self.refine_16(features_16), self.refine_32(features_32) * tail


class FeatureFusion(nn.Module):
    """Concatenated paths -> 3x3 convolution + batch norm + ReLU -> channel attention, added back.

    With `width` None the 3x3 convolution goes straight to the classes: the paper's multiply-accumulates leave no
    room for more. A number widens it, and a 1x1 convolution then leads to the classes.
    """

    def __init__(self, in_channels: int, num_classes: int, width: int | None) -> None:
        super().__init__()
        channels = num_classes if width is None else width
        self.merge = _conv_bn_relu(in_channels, channels, 3)
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size=1),
            nn.Sigmoid(),
        )
        self.classify = nn.Identity() if width is None else nn.Conv2d(width, num_classes, kernel_size=1)

    def forward(self, spatial: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Fuse two maps of one size, (B, C1, h, w) and (B, C2, h, w), into (B, num_classes, h, w)."""
        features = self.merge(torch.cat([spatial, context], dim=1))
        return self.classify(features + features * self.attention(features))


class BiSeNet(nn.Module):
    """Bilateral segmentation network with a ResNet-18 context path.

    Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", ECCV 2018
    (doi:10.1007/978-3-030-01261-8_20), as used for the fetal head: 11.9 M parameters and 4.5 billion
    multiply-accumulates at 384x256 (which the paper prints as "GFLOPs").

    Args:
        in_channels: Channels of the image; a gray frame is repeated to 3, as for ImageNet weights.
        num_classes: Classes of the softmax, the background among them. Two for the fetal head: one channel after
            the fusion's ReLU could only say "head" (values below zero are cut off), and hardly learns.
        fusion_width: Channels of the fusion; None, as in the paper, for `num_classes`.

    Shapes:
        (B, in_channels, H, W) -> in evaluation, logits (B, num_classes, H, W); in training, a list of three such
        logits: the fused ones, then the auxiliary ones of the 1/16 and 1/32 features, for deep supervision.

    Raises:
        ValueError: If an argument is out of its range, or (in `forward`) a training batch holds one image only.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 2, fusion_width: int | None = None) -> None:
        super().__init__()
        if in_channels < 1:
            raise ValueError(f"in_channels must be at least 1, got {in_channels}.")
        if num_classes < 2:
            raise ValueError(f"num_classes counts the background too and must be at least 2, got {num_classes}.")
        if fusion_width is not None and fusion_width < num_classes:
            raise ValueError(f"fusion_width must be None or at least num_classes={num_classes}, got {fusion_width}.")
        self.spatial_path = SpatialPath(in_channels)
        self.context_path = ContextPath(in_channels)
        self.fusion = FeatureFusion(
            self.spatial_path.out_channels + self.context_path.out_channels, num_classes, fusion_width
        )
        self.auxiliary_16 = nn.Conv2d(_RESNET18_LAYER3_CHANNELS, num_classes, kernel_size=1)
        self.auxiliary_32 = nn.Conv2d(_RESNET18_LAYER4_CHANNELS, num_classes, kernel_size=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Segment a batch of images; see the class for the shapes."""
        if self.training and image.shape[0] == 1:
            raise ValueError(
                "BiSeNet cannot train on a batch of one image: the batch norm after the global average pooling would "
                "see one value per channel. Use a batch size of 2 or more, and drop a last batch of one (drop_last)."
            )
        spatial = self.spatial_path(image)
        context_16, context_32 = self.context_path(image)
        context = torch.cat([_resize(context_16, spatial), _resize(context_32, spatial)], dim=1)
        logits = _resize(self.fusion(spatial, context), image)
        if not self.training:
            return logits
        return [
            logits,
            _resize(self.auxiliary_16(context_16), image),
            _resize(self.auxiliary_32(context_32), image),
        ]
