from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fetal_monai.networks import DeepLabV2
from fetal_monai.networks.deeplab import AtrousPyramid
from tests.networks.segmentation_network import SegmentationNetworkTests
from tests.networks.torchvision_layout import resnet_layout


class TestDeepLabV2(SegmentationNetworkTests):
    sizes: ClassVar[list[tuple[int, int]]] = [(64, 96), (65, 97), (33, 50)]

    def network(self) -> nn.Module:
        return DeepLabV2(depth="resnet50")


@pytest.mark.parametrize(("num_classes", "parameters"), [(2, 42_647_624), (21, 44_048_532)])
def test_parameters_with_resnet_101(num_classes: int, parameters: int) -> None:
    assert sum(p.numel() for p in DeepLabV2(num_classes=num_classes).parameters()) == parameters


def test_backbone_of_resnet_26_is_timms_without_classifier() -> None:
    backbone = DeepLabV2(depth="resnet26").backbone
    assert sum(p.numel() for p in backbone.parameters()) == 15_995_176 - 1000 * (2048 + 1)


@pytest.mark.parametrize(
    ("size", "map_size"), [((321, 321), (41, 41)), ((256, 256), (33, 33)), ((540, 800), (68, 101))]
)
def test_feature_map_has_an_eighth_of_the_images_size_rounded_up(
    size: tuple[int, int], map_size: tuple[int, int]
) -> None:
    # A meta tensor has a shape and no values.
    network = DeepLabV2(depth="resnet50").to("meta").eval()
    assert network.features(torch.empty(1, 3, *size, device="meta")).shape == (1, 2048, *map_size)
    assert network(torch.empty(1, 3, *size, device="meta")).shape == (1, 2, *size)


@pytest.mark.parametrize("depth", ["resnet50", "resnet101"])
def test_backbone_has_torchvisions_names_and_shapes(depth: str) -> None:
    own = {name: tuple(value.shape) for name, value in DeepLabV2(depth=depth).backbone.state_dict().items()}
    assert own == resnet_layout(depth)


def test_strides_of_the_last_two_stages_became_dilations() -> None:
    backbone = DeepLabV2(depth="resnet50").backbone
    for layer, stride, dilation in (("layer2", 2, 1), ("layer3", 1, 2), ("layer4", 1, 4)):
        convolutions = [m for m in backbone.get_submodule(layer).modules() if isinstance(m, nn.Conv2d)]
        assert max(m.stride[0] for m in convolutions) == stride
        assert {m.dilation for m in convolutions if m.kernel_size == (3, 3)} == {(dilation, dilation)}


def test_atrous_pyramid_is_the_sum_of_four_dilated_convolutions() -> None:
    pyramid = AtrousPyramid(5, 3)
    features = torch.randn(2, 5, 30, 40)
    expected = torch.zeros(2, 3, 30, 40)
    for branch, rate in zip(pyramid.branches, (6, 12, 18, 24), strict=True):
        assert isinstance(branch, nn.Conv2d)
        branch.bias = nn.Parameter(torch.randn(3))
        expected += F.conv2d(features, branch.weight, branch.bias, padding=rate, dilation=rate)
    torch.testing.assert_close(pyramid(features), expected)


def test_all_four_branches_learn() -> None:
    network = DeepLabV2(depth="resnet50").train()
    network(torch.rand(2, 3, 64, 64)).square().mean().backward()
    weights = [p for name, p in network.aspp.named_parameters() if name.endswith("weight")]
    assert len(weights) == 4
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 1}, "at least 2, got 1"),
        ({"depth": "resnet18"}, r"depth must be one of \['resnet101', 'resnet26', 'resnet50'\], got 'resnet18'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DeepLabV2(**arguments)  # type: ignore[arg-type]
