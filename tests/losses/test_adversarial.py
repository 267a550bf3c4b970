import math

import pytest
import torch
from monai.losses import PatchAdversarialLoss

from fetal_monai.losses import AdversarialLoss


def test_hand_computed_values() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])  # sigmoid: 1/2, 3/4
    loss = AdversarialLoss()
    assert loss(logits, True).item() == pytest.approx(-(math.log(1 / 2) + math.log(3 / 4)) / 2)
    assert loss(logits, False).item() == pytest.approx(-(math.log(1 / 2) + math.log(1 / 4)) / 2)


def test_guessing_costs_ln_2() -> None:
    assert AdversarialLoss()(torch.zeros(2, 1, 8, 9), True).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("target_is_real", [True, False])
def test_it_is_monais_patch_loss_with_sigmoid(target_is_real: bool) -> None:
    logits = torch.randn(2, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    expected = PatchAdversarialLoss(criterion="bce")(logits, target_is_real, for_discriminator=True)
    torch.testing.assert_close(AdversarialLoss()(logits, target_is_real), expected)


def test_a_sure_and_wrong_discriminator_gives_a_finite_loss_and_a_gradient() -> None:
    logits = torch.full((1, 1, 4, 4), -200.0, requires_grad=True)
    loss = AdversarialLoss()(logits, True)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.full_like(logits, -1 / 16))
