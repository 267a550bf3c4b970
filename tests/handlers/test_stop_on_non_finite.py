from pathlib import Path

import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from torch import nn

from fetal_monai.handlers import StopOnNonFinite, TrainingState


def _trainer(loss: object, folder: Path) -> SupervisedTrainer:
    network = nn.Conv2d(1, 1, 1)
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=3,
        train_data_loader=DataLoader(Dataset([{"image": torch.ones(1, 2, 2), "label": torch.zeros(1, 2, 2)}] * 2)),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        loss_function=loss,
        train_handlers=[
            StopOnNonFinite([network]),
            TrainingState(folder / "checkpoint.pt", objects={"network": network}, settings={}),
        ],
        decollate=False,
    )


@pytest.mark.parametrize("spoiled", [float("nan"), float("inf")])
def test_a_loss_without_a_number_ends_the_run(spoiled: float, tmp_path: Path) -> None:
    factors = iter([1.0, 1.0, spoiled])
    trainer = _trainer(lambda pred, label: next(factors) * (pred - label).square().mean(), tmp_path)
    with pytest.raises(FloatingPointError, match=rf"loss is {spoiled} in iteration 3 \(epoch 2\).*--resume True"):
        trainer.run()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["progress"]["epoch"] == 1


def test_weights_spoiled_by_an_epochs_last_step_are_not_saved(tmp_path: Path) -> None:
    steps = iter(range(1, 5))

    def loss(pred: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        # The square root of zero is a number, its gradient is not.
        return (pred - label).square().mean() + ((0 * pred).sum().sqrt() if next(steps) == 4 else 0)

    with pytest.raises(FloatingPointError, match=r"Conv2d has weights that are not finite in iteration 4 \(epoch 2\)"):
        _trainer(loss, tmp_path).run()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["progress"]["epoch"] == 1
    assert state["network"]["weight"].isfinite().all()


def test_a_healthy_run_goes_through(tmp_path: Path) -> None:
    _trainer(nn.MSELoss(), tmp_path).run()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["progress"]["epoch"] == 3
