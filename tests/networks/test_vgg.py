import pytest
import torch

from fetal_monai.networks import VGG
from tests.networks.torchvision_layout import VGG_PLANS, vgg_layout


@pytest.mark.parametrize("depth", VGG_PLANS)
@pytest.mark.parametrize("in_channels", [1, 3])
def test_names_and_shapes_are_torchvisions(depth: str, in_channels: int) -> None:
    own = {name: tuple(value.shape) for name, value in VGG(depth, in_channels).state_dict().items()}
    assert own == vgg_layout(depth, in_channels)


@pytest.mark.parametrize(("size", "map_size"), [((224, 224), (14, 14)), ((16, 31), (1, 1)), ((250, 384), (15, 24))])
def test_the_map_has_a_sixteenth_of_the_images_size_without_the_last_pooling(
    size: tuple[int, int], map_size: tuple[int, int]
) -> None:
    # A meta tensor has a shape and no values.
    network = VGG("vgg13_bn").to("meta").eval()
    assert network(torch.empty(2, 3, *size, device="meta")).shape == (2, 512, *map_size)


def test_convolutions_keep_the_variance_of_a_gradient() -> None:
    torch.manual_seed(0)
    weight = VGG("vgg13_bn", in_channels=1).get_parameter("features.24.weight")
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": "vgg19_bn"}, r"depth must be one of \['vgg13_bn', 'vgg16_bn'\], got 'vgg19_bn'"),
        ({"depth": "vgg13_bn", "in_channels": 0}, "in_channels must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VGG(**arguments)  # type: ignore[arg-type]
