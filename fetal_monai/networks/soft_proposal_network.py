"""Soft proposal network: a classifier that also localises each class."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from monai.networks.nets import resnet18, resnet34
from torch import nn

from fetal_monai.networks.soft_proposal import SoftProposal
from fetal_monai.networks.vgg import VGG

_RESNETS = {"resnet18": resnet18, "resnet34": resnet34}
_VGGS = ("vgg13_bn", "vgg16_bn")
_RESNET_STRIDE = 32
_VGG_STRIDE = 16
_CHANNELS = 512


def _resnet(depth: str, in_channels: int) -> nn.Sequential:
    resnet = _RESNETS[depth](
        spatial_dims=2,
        n_input_channels=in_channels,
        conv1_t_stride=2,
        shortcut_type="B",
        bias_downsample=False,
        feed_forward=False,
    )
    # Up to the last map. The names stay, so that torchvision's weights load.
    return nn.Sequential(OrderedDict((name, layer) for name, layer in resnet.named_children() if name != "avgpool"))


class ClassResponse(NamedTuple):
    """Output of a soft proposal network for a batch of images.

    Attributes:
        logits: (B, num_classes).
        response_maps: (B, num_classes, h, w), what each site adds to each logit: their sum over the map plus the
            classifier's bias is the logit.
        proposal: (B, 1, h, w), of sum 1.
    """

    logits: torch.Tensor
    response_maps: torch.Tensor
    proposal: torch.Tensor


class SoftProposalNetwork(nn.Module):
    """A classifier of anatomical regions whose class response maps localise them, trained on image-level labels.

    Toussaint et al., "Weakly Supervised Localisation for Fetal Ultrasound Images", DLMIA 2018
    (arXiv:1808.00793), after Zhu et al., ICCV 2017 (arXiv:1709.01829): backbone, 3x3 convolution of 512
    channels in two groups, ReLU, soft proposal, sum over the map, linear classifier. With one channel and seven classes
    12,353,991 parameters (resnet18), 22,462,151 (resnet34), 10,593,479 (vgg13_bn) and 15,905,735 (vgg16_bn).

    Args:
        backbone: "resnet18" or "resnet34", whose map is at 1/32 of the image; "vgg13_bn" or "vgg16_bn", at 1/16. Its
            parameters have torchvision's names.
        in_channels: Channels of the image.
        num_classes: Classes of the sigmoids; an image may show several.
        proposal: Mode of the `SoftProposal`; "uniform" is the baseline with global average pooling.
        extent: Extent of the `SoftProposal`.

    Shapes:
        (B, in_channels, H, W) -> logits (B, num_classes). The sides are at least 32 px with a ResNet and 16 px with a
        VGG: one site of the map.

    Raises:
        ValueError: If an argument is out of its range, or (in `forward` and `localise`) an image is too small or has
            other channels.
    """

    def __init__(
        self,
        backbone: str = "resnet18",
        *,
        in_channels: int = 1,
        num_classes: int = 7,
        proposal: str = "closed_form",
        extent: str = "area",
    ) -> None:
        super().__init__()
        if backbone not in (*_RESNETS, *_VGGS):
            raise ValueError(f"backbone must be one of {[*_RESNETS, *_VGGS]}, got {backbone!r}.")
        if in_channels < 1:
            raise ValueError(f"in_channels must be at least 1, got {in_channels}.")
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, got {num_classes}.")
        self.in_channels = in_channels
        self.min_size = _RESNET_STRIDE if backbone in _RESNETS else _VGG_STRIDE
        self.backbone = _resnet(backbone, in_channels) if backbone in _RESNETS else VGG(backbone, in_channels)
        self.conv = nn.Conv2d(_CHANNELS, _CHANNELS, kernel_size=3, padding=1, groups=2)
        self.proposal = SoftProposal(proposal, extent)
        self.classifier = nn.Linear(_CHANNELS, num_classes)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        # Small weights: every class starts at a probability of about one half.
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Classify a batch of images; see the class for the shapes."""
        features = self.features(image)
        return self.classifier((features * self.proposal(features)).sum(dim=(2, 3)))

    @torch.jit.export
    def localise(self, image: torch.Tensor) -> ClassResponse:
        """Classify a batch of images and return the response maps, in one pass."""
        features = self.features(image)
        proposal = self.proposal(features)
        coupled = features * proposal
        return ClassResponse(
            logits=self.classifier(coupled.sum(dim=(2, 3))),
            response_maps=F.conv2d(coupled, self.classifier.weight[:, :, None, None]),
            proposal=proposal,
        )

    def features(self, image: torch.Tensor) -> torch.Tensor:
        """Return the map that the proposal is made of: (B, 512, h, w), not negative."""
        channels, height, width = image.shape[1], image.shape[2], image.shape[3]
        if channels != self.in_channels:
            raise ValueError(
                f"The network was built for images of {self.in_channels} channels, got {channels}. "
                "Change in_channels, or how the images are read."
            )
        if height < self.min_size or width < self.min_size:
            raise ValueError(
                f"The backbone needs images of at least {self.min_size}x{self.min_size} px, got {height}x{width}. "
                "Enlarge spatial_size."
            )
        return F.relu(self.conv(self.backbone(image)))
