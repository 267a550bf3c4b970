import re
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.handlers import LrScheduleHandler
from monai.transforms import RandGaussianNoised
from torch import nn

from fetal_monai.handlers import BestNetwork, TrainingState


class _StopError(Exception):
    pass


def _train(folder: Path, epochs: int, resume: bool = False, stop_after: int | None = None) -> dict[str, Any]:
    """A small training with random transforms, dropout, momentum and a schedule; may break off after an epoch."""
    torch.manual_seed(99 if resume else 7)  # resuming must not rely on the process's own random numbers
    data = [{"image": torch.full((1, 4, 4), i / 8), "label": torch.full((1, 4, 4), 1 - i / 8)} for i in range(8)]
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Dropout(0.3), nn.Conv2d(4, 1, 1))
    if not resume:
        for parameter in network.parameters():
            nn.init.constant_(parameter, 0.1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    state = TrainingState(
        folder / "checkpoint.pt",
        {"network": network, "optimizer": optimizer, "lr_scheduler": scheduler},
        seed=3,
        resume=resume,
    )
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=epochs,
        train_data_loader=DataLoader(
            Dataset(data, RandGaussianNoised("image", prob=0.8)), batch_size=2, shuffle=True, num_workers=0
        ),
        network=network,
        optimizer=optimizer,
        loss_function=nn.MSELoss(),
        train_handlers=[LrScheduleHandler(scheduler, print_lr=False), state],
        decollate=False,
    )
    if stop_after is not None:

        def stop() -> None:
            raise _StopError

        trainer.add_event_handler(Events.EPOCH_COMPLETED(once=stop_after), stop)
        with pytest.raises(_StopError):
            trainer.run()
    else:
        trainer.run()
    return {"weights": network.state_dict(), "epoch": trainer.state.epoch, "lr": optimizer.param_groups[0]["lr"]}


def test_interrupted_and_resumed_equals_uninterrupted_to_the_bit(tmp_path: Path) -> None:
    whole = _train(tmp_path / "whole", epochs=4)
    _train(tmp_path / "parts", epochs=4, stop_after=2)
    resumed = _train(tmp_path / "parts", epochs=4, resume=True)
    assert resumed["epoch"] == whole["epoch"] == 4
    assert resumed["lr"] == whole["lr"] == 0.1 * 0.5**2
    assert all(torch.equal(resumed["weights"][name], value) for name, value in whole["weights"].items())


def test_epochs_differ_from_one_another(tmp_path: Path) -> None:
    one, two = (_train(tmp_path / str(n), epochs=n)["weights"] for n in (1, 2))
    assert not torch.equal(one["0.weight"], two["0.weight"])


def test_nothing_to_resume_from(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*checkpoint\.pt.*--resume.*--output_dir"):
        _train(tmp_path, epochs=2, resume=True)


def test_a_finished_training_stays_as_it_is_and_says_how_to_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = _train(tmp_path, epochs=2)["weights"]
    again = _train(tmp_path, epochs=2, resume=True)
    assert again["epoch"] == 2
    assert all(torch.equal(again["weights"][name], value) for name, value in weights.items())
    assert re.search(r"saved after epoch 2, .*no epoch is left.*--epochs", caplog.text)
    assert _train(tmp_path, epochs=3, resume=True)["epoch"] == 3


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    _train(tmp_path, epochs=1)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is not a whole PyTorch checkpoint"):
        _train(tmp_path, epochs=2, resume=True)


class _Engine:
    """What `BestNetwork` sees of a validator."""

    def __init__(self) -> None:
        import logging
        from types import SimpleNamespace

        self.logger = logging.getLogger("test")
        self.state = SimpleNamespace(metrics={}, epoch=0, rank=0)

    def after(self, epoch: int, dice: float) -> "_Engine":
        self.state.epoch, self.state.metrics = epoch, {"dice": dice}
        return self


def test_the_best_network_is_kept_and_the_last_one_is_not(tmp_path: Path) -> None:
    network, engine = nn.Linear(1, 1), _Engine()
    best = BestNetwork(tmp_path / "model.pt", network, "dice")
    for epoch, dice in enumerate([0.5, 0.9, float("nan"), 0.7], start=1):
        nn.init.constant_(network.weight, epoch)
        best(engine.after(epoch, dice))
    assert torch.load(tmp_path / "model.pt", weights_only=True)["weight"].item() == 2.0
    assert best.state_dict() == {"best_value": 0.9, "best_epoch": 2}


def test_a_resumed_training_keeps_its_earlier_best(tmp_path: Path) -> None:
    network, engine = nn.Linear(1, 1), _Engine()
    best = BestNetwork(tmp_path / "model.pt", network, "dice")
    best(engine.after(1, 0.9))
    before = (tmp_path / "model.pt").read_bytes()
    again = BestNetwork(tmp_path / "model.pt", network, "dice")
    again.load_state_dict(best.state_dict())
    again(engine.after(2, 0.8))
    assert (tmp_path / "model.pt").read_bytes() == before


def test_files_are_replaced_in_one_step(tmp_path: Path) -> None:
    _train(tmp_path, epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
