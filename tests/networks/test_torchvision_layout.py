from math import prod

import pytest

from tests.networks.torchvision_layout import (
    BLOCKS,
    BOTTLENECKS,
    PARAMETERS,
    VGG_PLANS,
    Layout,
    resnet_layout,
    vgg_layout,
)


def learnt(layout: Layout) -> int:
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return sum(prod(shape) for name, shape in layout.items() if not name.endswith(statistics))


@pytest.mark.parametrize("depth", BLOCKS)
def test_a_resnet_layout_has_torchvisions_published_number_of_parameters(depth: str) -> None:
    classifier = (2048 if depth in BOTTLENECKS else 512) * 1000 + 1000
    assert learnt(resnet_layout(depth)) == PARAMETERS[depth] - classifier


@pytest.mark.parametrize("depth", VGG_PLANS)
def test_a_vgg_layout_has_torchvisions_published_number_of_parameters(depth: str) -> None:
    classifier = (512 * 7 * 7 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
    assert learnt(vgg_layout(depth)) == PARAMETERS[depth] - classifier
