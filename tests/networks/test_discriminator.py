import io

import pytest
import torch
from torch import nn

from fetal_monai.networks import FullyConvolutionalDiscriminator


@pytest.mark.parametrize(("num_classes", "parameters"), [(2, 2_763_713), (21, 2_783_169)])
def test_parameters(num_classes: int, parameters: int) -> None:
    assert sum(p.numel() for p in FullyConvolutionalDiscriminator(num_classes).parameters()) == parameters


def test_it_is_five_4x4_convolutions_of_stride_2_with_leaky_relu_between() -> None:
    layers = list(FullyConvolutionalDiscriminator().layers)
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [64, 128, 256, 512, 1]
    assert {(layer.kernel_size, layer.stride, layer.padding) for layer in convolutions} == {((4, 4), (2, 2), (1, 1))}
    assert [layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)] == [0.2] * 4
    assert isinstance(layers[-1], nn.Conv2d)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 96), (101, 75), (256, 384)])
def test_logits_have_the_size_of_the_map(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert FullyConvolutionalDiscriminator(width=4)(torch.rand(2, 2, *size)).shape == (2, 1, *size)


def _seen(network: FullyConvolutionalDiscriminator, row: int, column: int) -> tuple[int, int, int, int]:
    """First and last row and column of the input that reach one unit before the resizing."""
    image = torch.rand(1, 2, 320, 320, dtype=torch.float64, requires_grad=True)
    network.layers(image)[0, 0, row, column].backward()
    assert image.grad is not None
    rows, columns = image.grad.abs().sum(dim=(0, 1)).nonzero(as_tuple=True)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_receptive_field_is_94_px_and_the_stride_32() -> None:
    network = FullyConvolutionalDiscriminator(width=4).double()
    top, bottom, left, right = _seen(network, 4, 5)
    assert (bottom - top + 1, right - left + 1) == (94, 94)
    assert _seen(network, 5, 6) == (top + 32, bottom + 32, left + 32, right + 32)


def test_an_image_is_judged_alike_in_any_batch() -> None:
    network = FullyConvolutionalDiscriminator(width=4).double()
    maps = torch.rand(3, 2, 40, 50, dtype=torch.float64)
    torch.testing.assert_close(network(maps)[1:2], network(maps[1:2]))


def test_torchscript_gives_the_same_logits() -> None:
    network = FullyConvolutionalDiscriminator(width=4).eval()
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(network), buffer)
    buffer.seek(0)
    maps = torch.rand(1, 2, 40, 50)
    torch.testing.assert_close(torch.jit.load(buffer)(maps), network(maps))


@pytest.mark.parametrize("size", [(31, 64), (64, 31)])
def test_a_map_that_is_too_small_is_refused_with_the_mend(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"at least 32x32 px, got {size[0]}x{size[1]}.*spatial_size"):
        FullyConvolutionalDiscriminator(width=4)(torch.rand(1, 2, *size))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"num_classes": 1}, "at least 2, got 1"), ({"width": 0}, "width must be at least 1, got 0")],
)
def test_bad_arguments_are_named(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FullyConvolutionalDiscriminator(**arguments)
