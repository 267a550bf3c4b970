import os
import re
import resource
import signal
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.handlers import LrScheduleHandler
from monai.transforms import RandGaussianNoised
from torch import nn

from fetal_monai.files import atomic_path
from fetal_monai.handlers import BestNetwork, TrainingState
from fetal_monai.handlers.checkpoint_file import remove_unfinished, save_checkpoint
from fetal_monai.weights.settings import read_settings


class _StopError(Exception):
    pass


def _train(
    folder: Path,
    epochs: int,
    resume: bool = False,
    stop_after: int | None = None,
    frames: int = 8,
    batch_size: int = 2,
    **settings: object,
) -> dict[str, Any]:
    """A small training with random transforms, dropout, momentum and a schedule; may break off after an epoch."""
    torch.manual_seed(99 if resume else 7)  # resuming must not rely on the process's own random numbers
    data = [{"image": torch.full((1, 4, 4), i / 8), "label": torch.full((1, 4, 4), 1 - i / 8)} for i in range(frames)]
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Dropout(0.3), nn.Conv2d(4, 1, 1))
    if not resume:
        for parameter in network.parameters():
            nn.init.constant_(parameter, 0.1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    state = TrainingState(
        folder / "checkpoint.pt",
        objects={"network": network, "optimizer": optimizer, "lr_scheduler": scheduler},
        settings={"batch_size": batch_size, "spatial_size": [4, 4], "device": "cpu", **settings},
        seed=3,
        resume=resume,
    )
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=epochs,
        train_data_loader=DataLoader(
            Dataset(data, RandGaussianNoised("image", prob=0.8)), batch_size=batch_size, shuffle=True, num_workers=0
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
    with pytest.raises(ValueError, match=r"Cannot resume: .*checkpoint\.pt is not a whole file.*--resume"):
        _train(tmp_path, epochs=2, resume=True)


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    _train(tmp_path, epochs=1)
    path = tmp_path / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    position = content.index(torch.load(path, weights_only=True)["network"]["0.weight"].numpy().tobytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Cannot resume: .*checkpoint\.pt is not a whole file.*is damaged"):
        _train(tmp_path, epochs=2, resume=True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"batch_size": 4}, r"batch_size 2 \(now 4\), iterations_per_epoch 4 \(now 2\)"),
        ({"batch_size": 1}, r"batch_size 2 \(now 1\), iterations_per_epoch 4 \(now 8\)"),
        ({"frames": 6}, r"iterations_per_epoch 4 \(now 3\)"),
        ({"spatial_size": [8, 8]}, r"spatial_size \[4, 4\] \(now \[8, 8\]\)"),
        ({"learning_rate": 0.2}, r"learning_rate 0\.1 \(now 0\.2\)"),
    ],
)
def test_other_settings_than_the_trainings_are_refused(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    _train(tmp_path, epochs=2, learning_rate=0.1)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=rf"Cannot resume: .*checkpoint\.pt was started with {told}\..*--resume"):
        _train(tmp_path, epochs=4, resume=True, **{"learning_rate": 0.1, **changed})
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_another_device_and_time_limit_are_not_refused(tmp_path: Path) -> None:
    _train(tmp_path, epochs=1, device="cuda", autocast_dtype="torch.float16", time_limit_s=None)
    resumed = _train(tmp_path, epochs=2, resume=True, device="cpu", autocast_dtype=None, time_limit_s=60)
    assert resumed["epoch"] == 2


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
    best = BestNetwork(tmp_path / "model.pt", network=network, metric="dice")
    for epoch, dice in enumerate([0.5, 0.9, float("nan"), 0.7], start=1):
        nn.init.constant_(network.weight, epoch)
        best(engine.after(epoch, dice))
    assert torch.load(tmp_path / "model.pt", weights_only=True)["weight"].item() == 2.0
    assert best.state_dict() == {"best_value": 0.9, "best_epoch": 2}


def test_settings_are_written_beside_the_best_network(tmp_path: Path) -> None:
    settings = {"bundle": "mine", "network": "Linear", "options": {"spatial_size": [64, 96]}}
    best = BestNetwork(tmp_path / "model.pt", network=nn.Linear(1, 1), metric="dice", settings=settings)
    best(_Engine().after(1, 0.9))
    assert read_settings(tmp_path / "model.pt") == settings


def test_a_resumed_training_keeps_its_earlier_best(tmp_path: Path) -> None:
    network, engine = nn.Linear(1, 1), _Engine()
    best = BestNetwork(tmp_path / "model.pt", network=network, metric="dice")
    best(engine.after(1, 0.9))
    before = (tmp_path / "model.pt").read_bytes()
    again = BestNetwork(tmp_path / "model.pt", network=network, metric="dice")
    again.load_state_dict(best.state_dict())
    again(engine.after(2, 0.8))
    assert (tmp_path / "model.pt").read_bytes() == before


def test_files_are_replaced_in_one_step(tmp_path: Path) -> None:
    _train(tmp_path, epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_full_disk_is_called_so_and_the_earlier_checkpoint_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint({"weights": torch.zeros(1)}, path)
    earlier = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as on a disk that is nearly full
    try:
        with pytest.raises(OSError, match=str(path)):
            save_checkpoint({"weights": torch.zeros(1_000_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {path.name: earlier}


def test_what_a_killed_training_left_is_removed(tmp_path: Path) -> None:
    for name in ("checkpoint.pt", "model.pt"):
        if (pid := os.fork()) == 0:
            with atomic_path(tmp_path / name) as temporary:
                temporary.write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
    (tmp_path / ".0123abcd-notes.txt").write_text("another's")
    (tmp_path / "0123abcd-checkpoint.pt").write_text("another's")
    assert len(list(tmp_path.iterdir())) == 4
    _train(tmp_path, epochs=1)
    validator = Engine(lambda engine, batch: engine.state.metrics.update(dice=0.5))
    validator.state.rank = 0
    BestNetwork(tmp_path / "model.pt", network=nn.Linear(1, 1), metric="dice").attach(validator)
    validator.run([0])
    assert {path.name for path in tmp_path.iterdir()} == {
        *("checkpoint.pt", "model.pt", ".0123abcd-notes.txt", "0123abcd-checkpoint.pt")
    }


class _SlowlySaved:
    """Its save begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_end = Event(), Event()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        self.begun.set()
        self.may_end.wait(timeout=60)
        return object, ()


def test_what_another_training_is_saving_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    slow = _SlowlySaved()
    with ThreadPoolExecutor() as threads:
        saving = threads.submit(save_checkpoint, {"slow": slow}, path)
        slow.begun.wait(timeout=60)
        removing = threads.submit(remove_unfinished, path)
        with pytest.raises(TimeoutError):
            removing.result(timeout=0.2)
        slow.may_end.set()
        saving.result(timeout=60)
        removing.result(timeout=60)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_only_weights_that_were_kept_are_named(tmp_path: Path) -> None:
    best = BestNetwork(tmp_path / "model.pt", network=nn.Linear(1, 1), metric="dice")
    best(_Engine().after(1, float("nan")))
    assert "model.pt" not in str(best) and "no weights were kept" in str(best)
    best(_Engine().after(2, 0.75))
    assert str(best) == f"best weights: {tmp_path / 'model.pt'} (dice 0.7500 in epoch 2)"
