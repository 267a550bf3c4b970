from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from fetal_monai.networks import DilatedUNet
from fetal_monai.networks.dilated_unet import DoubleConvolution
from tests.networks.segmentation_network import SegmentationNetworkTests


class TestDilatedUNet(SegmentationNetworkTests):
    in_channels = 1
    num_classes = 1
    sizes: ClassVar[list[tuple[int, int]]] = [(64, 96), (32, 32)]

    def network(self) -> nn.Module:
        return DilatedUNet(base_channels=8).set_intensity(0.4, 0.3)


def seen(network: nn.Module, size: int = 31) -> tuple[int, int]:
    """Rows and columns of the input on which the central output pixel depends, by its gradient."""
    image = torch.rand(1, 1, size, size, requires_grad=True)
    network(image)[0, :, size // 2, size // 2].sum().backward()
    assert image.grad is not None
    rows, columns = image.grad[0, 0].nonzero(as_tuple=True)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def positive(network: nn.Module) -> nn.Module:
    """The same network with weights that no ReLU cuts off."""
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    return network


@pytest.mark.parametrize("dilation", [(1, 2), (1, 1), (2, 2)])
def test_the_papers_parameters_at_any_dilation(dilation: tuple[int, int]) -> None:
    with torch.device("meta"):
        network = DilatedUNet(dilation=dilation)
    assert sum(parameter.numel() for parameter in network.parameters()) == 31_093_921


def test_one_dilated_kernel_sees_5_and_the_stack_7_pixels() -> None:
    assert seen(positive(nn.Conv2d(1, 1, 3, padding=2, dilation=2))) == (5, 5)
    assert seen(positive(DoubleConvolution(1, 4, (1, 2)))) == (7, 7)
    assert seen(positive(DoubleConvolution(1, 4, (1, 1)))) == (5, 5)


@pytest.mark.parametrize(("dilation", "expected"), [((1, 1), 5), ((1, 2), 7)])
def test_every_encoder_level_is_dilated_and_no_decoder(dilation: tuple[int, int], expected: int) -> None:
    network = positive(DilatedUNet(base_channels=1, dilation=dilation))
    levels = [module for module in network.modules() if isinstance(module, DoubleConvolution)]
    sides = []
    for level in levels:
        spread = positive(nn.Conv2d(1, next(level.parameters()).shape[1], 1))
        sides.append(seen(nn.Sequential(spread, level)))
    assert sides == [(expected, expected)] * 6 + [(5, 5)] * 5


def test_256_pixels_become_8() -> None:
    network = DilatedUNet(base_channels=1)
    sizes: list[tuple[int, int]] = []
    for encoder in network.encoders:
        encoder.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[2:])))
    with torch.no_grad():
        network(torch.rand(1, 1, 256, 256))
    assert sizes == [(side, side) for side in (256, 128, 64, 32, 16, 8)]


def test_gray_values_are_standardised_by_the_checkpoints_own_statistics() -> None:
    trained = DilatedUNet(base_channels=2).set_intensity(51.0, 40.0).eval()
    other = DilatedUNet(base_channels=2).eval()
    other.load_state_dict(trained.state_dict())
    image = 255 * torch.rand(2, 1, 32, 32)
    bare = DilatedUNet(base_channels=2).eval()
    bare.load_state_dict(
        {**trained.state_dict(), "intensity_mean": torch.tensor(0.0), "intensity_std": torch.tensor(1.0)}
    )
    with torch.no_grad():
        assert torch.equal(other(image), trained(image))
        torch.testing.assert_close(bare((image - 51) / 40), trained(image))


@pytest.mark.slow
def test_weights_of_other_rates_are_refused_though_their_shapes_agree() -> None:
    plain = DilatedUNet(base_channels=2, dilation=(1, 1))
    with pytest.raises(ValueError, match=r"The weights have dilation \[1, 1\], this network \[1, 2\]"):
        DilatedUNet(base_channels=2).load_state_dict(plain.state_dict())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base_channels": 0}, "base_channels"),
        ({"dilation": (1, 2, 4)}, r"two rates.*\[1, 2, 4\]"),
        ({"dilation": (0, 1)}, r"at least 1.*\[0, 1\]"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DilatedUNet(**arguments)


@pytest.mark.parametrize(("mean", "std"), [(float("nan"), 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, float("inf"))])
def test_statistics_that_are_none_are_refused(mean: float, std: float) -> None:
    with pytest.raises(ValueError, match="positive standard deviation, got"):
        DilatedUNet(base_channels=1).set_intensity(mean, std)


def test_a_size_that_cannot_be_halved_five_times_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32, got 64 and 80"):
        DilatedUNet(base_channels=1)(torch.rand(1, 1, 64, 80))


def test_activations_keep_their_size_through_the_network() -> None:
    torch.manual_seed(0)
    network = DilatedUNet()
    sizes: list[float] = []
    for module in network.modules():
        if isinstance(module, DoubleConvolution):
            module.register_forward_hook(lambda module, inputs, output: sizes.append(output.square().mean().item()))
    with torch.no_grad():
        network(torch.randn(1, 1, 128, 128))
    assert max(sizes) / min(sizes) < 10
