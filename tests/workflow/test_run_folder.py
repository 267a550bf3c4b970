from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator, SupervisedTrainer

from fetal_monai.files import atomic_path
from fetal_monai.handlers import BestNetwork
from fetal_monai.workflow import run_in_folder

CPU = torch.device("cpu")
BATCHES = DataLoader([{"image": torch.ones(1), "label": torch.ones(1)}], batch_size=1)


class Write:
    """Writes a file with the number of the run; completes even where there is nothing to do."""

    def __init__(self, path: Path, content: str) -> None:
        self.path, self.content = path, content

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        with atomic_path(self.path) as temporary:
            temporary.write_text(self.content)


def evaluator(*handlers: Any, batches: Any = BATCHES) -> SupervisedEvaluator:
    return SupervisedEvaluator(CPU, batches, torch.nn.Linear(1, 1), val_handlers=handlers)


def trainer(*handlers: Any) -> SupervisedTrainer:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    return SupervisedTrainer(CPU, 1, BATCHES, network, optimizer, torch.nn.MSELoss(), train_handlers=handlers)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    def run_stage(stage: str, name: str, content: str, **options: Any) -> None:
        engine = trainer if stage == "train" else evaluator
        run_in_folder(tmp_path, stage, engine(Write(tmp_path / name, content)), **options)

    return run_stage


def contents(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("_files.txt")]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def own(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of this package: other tests may have made those of the others visible."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("fetal_monai")]


def test_the_newest_results_are_at_the_top_and_a_line_says_where_the_others_are(
    run: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes.txt").write_text("own")
    with caplog.at_level(logging.INFO, logger="fetal_monai"):
        run("inference", "masks/1_mask.png", "first")
        assert own(caplog) == []
        run("inference", "masks/2_mask.png", "second")
    assert own(caplog) == [f"{tmp_path}: the files of the earlier run are now in {tmp_path / 'run_1'}"]
    assert contents(tmp_path) == {"notes.txt": "own", "masks/2_mask.png": "second", "run_1/masks/1_mask.png": "first"}


def test_an_evaluation_finds_the_weights_of_a_training_in_its_folder(run: Callable[..., None], tmp_path: Path) -> None:
    run("train", "model.pt", "weights")
    run("evaluate", "summary.json", "first")
    run("inference", "measurements.csv", "measured")
    assert contents(tmp_path) == {"model.pt": "weights", "run_1/summary.json": "first", "measurements.csv": "measured"}
    run("train", "model.pt", "new weights")
    moved = {"run_2/model.pt": "weights", "run_2/measurements.csv": "measured", "run_1/summary.json": "first"}
    assert contents(tmp_path) == {"model.pt": "new weights", **moved}


def test_a_resumed_training_continues_in_its_folder(run: Callable[..., None], tmp_path: Path) -> None:
    run("train", "checkpoint.pt", "epoch 1")
    run("train", "model.pt", "epoch 2", resume=True)
    assert contents(tmp_path) == {"checkpoint.pt": "epoch 1", "model.pt": "epoch 2"}
    run("train", "checkpoint.pt", "anew")
    assert contents(tmp_path) == {
        "checkpoint.pt": "anew",
        "run_1/checkpoint.pt": "epoch 1",
        "run_1/model.pt": "epoch 2",
    }


def test_handlers_of_an_engine_without_data_are_completed(tmp_path: Path) -> None:
    empty = DataLoader(torch.utils.data.Subset(BATCHES.dataset, []))
    run_in_folder(tmp_path, "inference", evaluator(Write(tmp_path / "table.csv", "rejected"), batches=empty))
    assert contents(tmp_path) == {"table.csv": "rejected"}


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(NotADirectoryError, match=rf"{tmp_path / 'out'} is a file; name a folder .* --output_dir"):
        run_in_folder(tmp_path / "out", "inference", evaluator())


def test_weights_that_no_run_recorded_are_moved_aside_too(tmp_path: Path) -> None:
    """Those that a bundle is shipped with."""
    for name in ("model.pt", "model.pt.sha256", "model.pt.backup"):
        (tmp_path / name).write_text("shipped")
    best = BestNetwork(tmp_path / "model.pt", network=torch.nn.Linear(1, 1), metric="dice")
    validator = evaluator(best)
    for epoch, dice in enumerate((0.5, 0.9), start=1):
        validator.add_event_handler(
            Events.ITERATION_COMPLETED, lambda engine, d=dice: engine.state.metrics.update(dice=d)
        )
        validator.run(epoch)
    assert {path.name for path in (tmp_path / "run_1").iterdir()} == {"model.pt", "model.pt.sha256"}
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.pt.backup", "run_1"}
    assert (tmp_path / "run_1" / "model.pt").read_text() == "shipped"


def test_a_training_that_ran_says_that_it_cannot_run_again(tmp_path: Path) -> None:
    engine = trainer(Write(tmp_path / "model.pt", "weights"))
    run_in_folder(tmp_path, "train", engine)
    with pytest.raises(RuntimeError, match=r"already run.* Call initialize\(\)"):
        run_in_folder(tmp_path, "train", engine)
    assert contents(tmp_path) == {"model.pt": "weights"}


def test_an_evaluation_runs_again(tmp_path: Path) -> None:
    engine = evaluator(Write(tmp_path / "table.csv", "rows"))
    for _ in range(2):
        run_in_folder(tmp_path, "evaluate", engine)
    assert contents(tmp_path) == {"table.csv": "rows", "run_1/table.csv": "rows"}
