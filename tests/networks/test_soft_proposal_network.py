from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from fetal_monai.networks import SoftProposalNetwork
from fetal_monai.weights import load_pretrained
from tests.networks.network import NetworkTests
from tests.networks.torchvision_layout import resnet_layout, vgg_layout

BACKBONES = ["resnet18", "resnet34", "vgg13_bn", "vgg16_bn"]


class ClassifierTests(NetworkTests):
    in_channels = 1
    sizes: ClassVar[list[tuple[int, int]]] = [(64, 96), (33, 50)]

    def test_one_logit_a_class_at_any_resolution(self) -> None:
        network = self.network().eval()
        for size in self.sizes:
            with torch.no_grad():
                assert network(self.image(size)).shape == (2, 7)


class TestSoftProposalNetworkOnResNet(ClassifierTests):
    def network(self) -> nn.Module:
        return SoftProposalNetwork("resnet18")


class TestSoftProposalNetworkOnVGG(ClassifierTests):
    sizes: ClassVar[list[tuple[int, int]]] = [(32, 48), (33, 50)]

    def network(self) -> nn.Module:
        return SoftProposalNetwork("vgg13_bn")


def untrained(backbone: str = "resnet18", **arguments: Any) -> SoftProposalNetwork:
    """A network in evaluation whose classifier has a bias, as after training."""
    torch.manual_seed(0)
    network = SoftProposalNetwork(backbone, **arguments).eval()
    nn.init.normal_(network.classifier.bias)
    return network


@pytest.mark.parametrize(
    ("backbone", "parameters"),
    [("resnet18", 12_353_991), ("resnet34", 22_462_151), ("vgg13_bn", 10_593_479), ("vgg16_bn", 15_905_735)],
)
def test_parameters_with_one_channel_and_seven_classes(backbone: str, parameters: int) -> None:
    with torch.device("meta"):
        network = SoftProposalNetwork(backbone)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_backbone_has_torchvisions_names_and_shapes(backbone: str) -> None:
    with torch.device("meta"):
        network = SoftProposalNetwork(backbone, in_channels=3)
    own = {name: tuple(value.shape) for name, value in network.backbone.state_dict().items()}
    assert own == (resnet_layout if backbone.startswith("resnet") else vgg_layout)(backbone, 3)


@pytest.mark.parametrize(("backbone", "side"), [("resnet34", 7), ("vgg16_bn", 14)])
def test_maps_of_a_224_px_image(backbone: str, side: int) -> None:
    with torch.device("meta"):
        network, image = SoftProposalNetwork(backbone).eval(), torch.empty(2, 1, 224, 224)
        response = network.localise(image)
    assert response.logits.shape == (2, 7)
    assert response.response_maps.shape == (2, 7, side, side)
    assert response.proposal.shape == (2, 1, side, side)


@pytest.mark.parametrize(
    ("backbone", "proposal", "map_size"), [("resnet18", "iteration", (2, 4)), ("vgg13_bn", "closed_form", (3, 6))]
)
def test_a_response_map_summed_and_the_bias_are_the_logit(
    backbone: str, proposal: str, map_size: tuple[int, int]
) -> None:
    network = untrained(backbone, proposal=proposal)
    image = torch.rand(2, 1, 50, 100)
    with torch.no_grad():
        response = network.localise(image)
        torch.testing.assert_close(response.logits, network(image))
    assert response.response_maps.shape == (2, 7, *map_size)
    summed = response.response_maps.sum((2, 3)) + network.classifier.bias.detach()
    torch.testing.assert_close(response.logits, summed)
    torch.testing.assert_close(response.proposal.sum((1, 2, 3)), torch.ones(2))


def test_a_response_map_is_the_classifier_at_each_site() -> None:
    network = untrained()
    image = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        response = network.localise(image)
        site = network.features(image)[0, :, 1, 2] * response.proposal[0, 0, 1, 2]
        expected = network.classifier(site) - network.classifier.bias
    torch.testing.assert_close(response.response_maps[0, :, 1, 2], expected)


def test_a_uniform_proposal_is_global_average_pooling() -> None:
    network = untrained(proposal="uniform")
    image = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        pooled = nn.functional.adaptive_avg_pool2d(network.features(image), 1).flatten(1)
        torch.testing.assert_close(network(image), network.classifier(pooled))


def test_torchscript_localises_too() -> None:
    network = untrained()
    scripted = torch.jit.script(network)
    image = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        for own, compiled in zip(network.localise(image), scripted.localise(image), strict=True):
            torch.testing.assert_close(compiled, own)


def test_under_autocast_the_proposal_stays_exact_and_the_logits_close() -> None:
    network = untrained()
    image = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            response = network.localise(image)
        expected = network(image)
    assert response.proposal.dtype == torch.float32
    torch.testing.assert_close(response.proposal.sum((1, 2, 3)), torch.ones(2))
    torch.testing.assert_close(response.logits.float(), expected, rtol=0.02, atol=0.02)


def test_every_class_starts_at_a_probability_of_about_one_half() -> None:
    torch.manual_seed(0)
    probabilities = SoftProposalNetwork().train()(torch.rand(4, 1, 96, 96)).sigmoid()
    assert (probabilities - 0.5).abs().max() < 0.1


def test_pretrained_weights_of_torchvision_fit_the_backbone(tmp_path: Path) -> None:
    state = {name: torch.full(shape, 0.5) for name, shape in vgg_layout("vgg13_bn").items()}
    torch.save({**state, "classifier.6.bias": torch.zeros(1000)}, tmp_path / "vgg13_bn.pth")
    network = SoftProposalNetwork("vgg13_bn", in_channels=3)
    pretrained = load_pretrained(network.backbone, tmp_path / "vgg13_bn.pth")
    assert pretrained.missing == []
    assert pretrained.skipped == ["classifier.6.bias"]
    assert (network.backbone.state_dict()["features.31.weight"] == 0.5).all()


@pytest.mark.parametrize(("backbone", "smallest"), [("resnet18", 32), ("vgg13_bn", 16)])
def test_one_site_is_the_smallest_map(backbone: str, smallest: int) -> None:
    network = untrained(backbone)
    with torch.no_grad():
        response = network.localise(torch.rand(1, 1, smallest, smallest))
    assert response.response_maps.shape == (1, 7, 1, 1)
    assert response.proposal.item() == 1
    for height, width in ((smallest - 1, 64), (64, smallest - 1)):
        message = rf"at least {smallest}x{smallest} px, got {height}x{width}\. Enlarge spatial_size"
        with pytest.raises(ValueError, match=message):
            network(torch.rand(1, 1, height, width))


def test_other_channels_are_named() -> None:
    with pytest.raises(ValueError, match=r"images of 1 channels, got 3\. Change in_channels"):
        untrained()(torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"backbone": "resnet50"},
            r"backbone must be one of \['resnet18', 'resnet34', 'vgg13_bn', 'vgg16_bn'\], got 'resnet50'",
        ),
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"proposal": "none"}, "got 'none'"),
        ({"extent": "width"}, "got 'width'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftProposalNetwork(**arguments)
