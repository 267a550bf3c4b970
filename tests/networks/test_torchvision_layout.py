from math import prod

import pytest

from tests.networks.torchvision_layout import PARAMETERS, resnet_layout


@pytest.mark.parametrize("depth", ["resnet50", "resnet101"])
def test_the_layout_has_torchvisions_published_number_of_parameters(depth: str) -> None:
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    learnt = sum(prod(shape) for name, shape in resnet_layout(depth).items() if not name.endswith(statistics))
    assert learnt == PARAMETERS[depth] - 2048 * 1000 - 1000
