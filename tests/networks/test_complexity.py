import pytest
import torch
from monai.networks.nets import AttentionUnet
from torch import nn

from fetal_monai.networks import Complexity, complexity


def test_a_convolution_counted_by_hand() -> None:
    # 5 output channels x 4 input channels x 3x3 weights at each of 6x7 outputs; bias adds parameters only.
    counted = complexity(nn.Conv2d(4, 5, 3, padding=1), (4, 6, 7))
    assert counted == Complexity(parameters=5 * 4 * 9 + 5, gmacs=5 * 4 * 9 * 6 * 7 / 1e9)


def test_the_network_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    complexity(network, (1, 8, 8))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_frozen_parameters_are_not_counted() -> None:
    assert complexity(nn.Conv2d(1, 1, 1).requires_grad_(False), (1, 2, 2)).parameters == 0


def test_it_prints_in_the_papers_units() -> None:
    assert str(Complexity(11_896_980, 4.5302)) == "11.90 M parameters, 4.53 GMAC"


def test_a_size_that_the_network_cannot_take_is_named() -> None:
    network = AttentionUnet(spatial_dims=2, in_channels=1, out_channels=2, channels=(2, 4, 8, 16), strides=(2, 2, 2))
    assert complexity(network, (1, 48, 64)).gmacs > 0
    with pytest.raises(ValueError, match=r"AttentionUnet cannot take an input of shape \(1, 50, 64\).*spatial_size"):
        complexity(network, (1, 50, 64))
