from typing import ClassVar

import pytest
import torch
from torch import nn

from fetal_monai.networks import BiSeNet, complexity
from fetal_monai.networks.bisenet import AttentionRefinement, SpatialPath
from tests.networks.segmentation_network import SegmentationNetworkTests


class TestBiSeNet(SegmentationNetworkTests):
    sizes: ClassVar[list[tuple[int, int]]] = [(64, 96), (65, 97), (32, 32), (250, 383)]

    def network(self) -> nn.Module:
        return BiSeNet()


class TestWidenedBiSeNet(SegmentationNetworkTests):
    num_classes = 3

    def network(self) -> nn.Module:
        return BiSeNet(num_classes=3, fusion_width=64)


def test_papers_multiply_accumulates_at_384x256() -> None:
    assert complexity(BiSeNet(), (3, 256, 384)).gmacs == pytest.approx(4.50, rel=0.02)


@pytest.mark.parametrize(
    ("size", "ratio", "paper"),
    [((320, 512), 5 / 3, 7.50), ((160, 256), 5 / 12, 1.88), ((64, 128), 1 / 12, 0.38)],
)
def test_multiply_accumulates_scale_with_the_papers_four_sizes(
    size: tuple[int, int], ratio: float, paper: float
) -> None:
    network = BiSeNet()
    gmacs = complexity(network, (3, *size)).gmacs
    assert gmacs / complexity(network, (3, 256, 384)).gmacs == pytest.approx(ratio, rel=1e-3)
    assert gmacs == pytest.approx(paper, rel=0.02)


def test_parameters() -> None:
    assert complexity(BiSeNet(), (3, 64, 64)).parameters == pytest.approx(11.9e6, rel=0.03)


def test_parts_cost_what_the_paper_leaves_them() -> None:
    backbone = BiSeNet().context_path.backbone
    # Of the ResNet only the convolutions count: without its classifier the forward pass ends in the pooling.
    assert complexity(backbone, (3, 256, 384)).gmacs == pytest.approx(3.553, rel=1e-3)
    assert complexity(SpatialPath(3), (3, 256, 384)).gmacs == pytest.approx(0.948, rel=1e-3)


def test_backbone_has_torchvisions_resnet18_parameters() -> None:
    names = set(BiSeNet().context_path.backbone.state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer4.0.downsample.0.weight"} <= names
    # torchvision's ResNet-18 has 11,689,512 parameters, 513,000 of them in its classifier.
    assert sum(p.numel() for p in BiSeNet().context_path.backbone.parameters()) == 11_689_512 - 513_000


def test_training_returns_the_fused_and_two_auxiliary_logits() -> None:
    outputs = BiSeNet().train()(torch.rand(2, 3, 50, 70))
    assert [tuple(output.shape) for output in outputs] == [(2, 2, 50, 70)] * 3


def test_attention_refinement_is_the_formula() -> None:
    refine = AttentionRefinement(4).eval()
    features = torch.randn(1, 4, 5, 6)
    weight = refine.conv.weight.reshape(4, 4)
    scale = torch.sigmoid((weight @ features.mean((2, 3)).squeeze(0)) / (1 + refine.norm.eps) ** 0.5)
    torch.testing.assert_close(refine(features), features * scale.reshape(1, 4, 1, 1))


def test_convolutions_start_from_he_initialisation() -> None:
    torch.manual_seed(0)
    merge = BiSeNet(fusion_width=64).fusion.merge.conv
    fan_in = merge.in_channels * 9
    assert merge.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.02)


def test_a_training_batch_of_one_image_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match=r"batch of one image.*drop_last"):
        BiSeNet().train()(torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 1}, "at least 2, got 1"),
        ({"fusion_width": 1}, "at least num_classes=2, got 1"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BiSeNet(**arguments)
