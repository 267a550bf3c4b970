import torch
from torch import nn

from fetal_monai.inferers import AutocastInferer, fastest_dtype


class Probe(nn.Conv2d):
    """Notes the precision that it computes in."""

    def __init__(self) -> None:
        super().__init__(1, 1, 3)
        self.seen: torch.dtype | None = None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        result = super().forward(image)
        self.seen = result.dtype
        return result


def test_computes_in_bfloat16_and_returns_float32() -> None:
    probe = Probe()
    result = AutocastInferer(torch.bfloat16)(torch.rand(1, 1, 8, 8), probe)
    assert probe.seen == torch.bfloat16
    assert isinstance(result, torch.Tensor)
    assert result.dtype == torch.float32


def test_without_a_dtype_the_network_computes_in_its_own() -> None:
    probe, image = Probe(), torch.rand(1, 1, 8, 8)
    assert torch.equal(AutocastInferer(None)(image, probe), probe(image))  # type: ignore[arg-type]
    assert probe.seen == torch.float32


def test_lists_of_outputs_are_converted_one_by_one() -> None:
    probe = Probe()
    results = AutocastInferer(torch.bfloat16)(torch.rand(1, 1, 8, 8), lambda image: [probe(image), probe(image)])
    assert [result.dtype for result in results] == [torch.float32, torch.float32]


def test_gradients_flow_through_the_lower_precision() -> None:
    probe, image = Probe(), torch.rand(1, 1, 8, 8)
    AutocastInferer(torch.bfloat16)(image, probe).sum().backward()  # type: ignore[union-attr]
    low = probe.weight.grad
    probe.weight.grad = None
    probe(image).sum().backward()
    assert low is not None
    torch.testing.assert_close(low, probe.weight.grad, rtol=0.02, atol=0.1)


def test_the_fastest_dtype_is_one_the_device_can_use() -> None:
    dtype = fastest_dtype(torch.device("cpu"))
    assert dtype in (None, torch.bfloat16)
    assert (dtype is not None) == torch.cpu._is_avx512_bf16_supported()
