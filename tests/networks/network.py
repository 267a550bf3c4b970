"""What every network must do, from image to one tensor a task."""

import io
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn


class NetworkTests:
    """Inherit, set `in_channels` and `sizes`, and build the network in `network`."""

    in_channels: ClassVar[int] = 3
    sizes: ClassVar[list[tuple[int, int]]] = [(64, 96)]

    @pytest.fixture(autouse=True)
    def _seed(self) -> None:
        torch.manual_seed(0)

    def network(self) -> nn.Module:
        raise NotImplementedError

    def image(self, size: tuple[int, int], batch: int = 2) -> torch.Tensor:
        return torch.rand(batch, self.in_channels, *size, generator=torch.Generator().manual_seed(0))

    def test_every_weight_gets_a_gradient(self) -> None:
        network = self.network().train()
        outputs = network(self.image(self.sizes[0]))
        outputs = outputs if isinstance(outputs, list) else [outputs]
        sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
        without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert without == []

    def test_saved_weights_give_the_same_logits(self, tmp_path: Path) -> None:
        network, other = self.network().eval(), self.network().eval()
        torch.save(network.state_dict(), tmp_path / "model.pt")
        other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
        image = self.image(self.sizes[0])
        with torch.no_grad():
            assert torch.equal(network(image), other(image))

    @pytest.mark.slow
    def test_torchscript_gives_the_same_logits(self) -> None:
        network = self.network().eval()
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(network), buffer)
        buffer.seek(0)
        image = self.image(self.sizes[-1])
        with torch.no_grad():
            torch.testing.assert_close(torch.jit.load(buffer)(image), network(image))

    @pytest.mark.slow
    def test_an_image_gets_the_same_logits_in_any_batch(self) -> None:
        network = self.network().double().eval()
        image = self.image(self.sizes[0], batch=3).double()
        with torch.no_grad():
            torch.testing.assert_close(network(image)[1:2], network(image[1:2]))
