"""Failures of tracking that must not affect a run: simultaneous first runs, kills, and stores that fail."""

import json
import logging
import multiprocessing
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import mlflow
import pytest
import torch
from ignite.engine import Engine, Events
from mlflow.entities import Run

from fetal_monai.tracking import EXPERIMENT, RunTracker, create_store

PROCESSES = 4


def track(bundle: Path, output_dir: Path, stage: str = "train", end_in: int | None = None) -> Engine:
    """Run two tracked epochs; the process may kill itself in one."""

    def step(engine: Engine, batch: int) -> dict[str, torch.Tensor]:
        if engine.state.epoch == end_in:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"loss": torch.tensor(1.0)}

    engine = Engine(step)
    engine.logger = logging.getLogger("tracked")
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.state.metrics.update(dice=0.5))
    RunTracker(bundle, stage, output_dir, {}, iteration_interval=1).attach(engine)
    engine.run([0], max_epochs=2)
    return engine


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Start processes that have imported everything, and have not used MLflow yet."""
    return multiprocessing.get_context("forkserver")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = f"sqlite:///{tmp_path / 'store' / 'mlruns.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps({"bundle": "toy", "version": "1.2.3"}))
    return tmp_path


def runs(store: str) -> list[Run]:
    client = mlflow.MlflowClient(store)
    return list(client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id]))


def track_there(store: str, bundle: Path, output_dir: Path, end_in: int | None = None) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = store
    track(bundle, output_dir, end_in=end_in)


def in_process(processes: ForkServerContext, *arguments: object) -> ForkServerProcess:
    process = processes.Process(target=track_there, args=arguments)
    process.start()
    return process


@pytest.mark.slow
def test_the_first_runs_of_a_store_may_be_several_at_once(
    processes: ForkServerContext, bundle: Path, store: str, tmp_path: Path
) -> None:
    started = [in_process(processes, store, bundle, tmp_path / str(number)) for number in range(PROCESSES)]
    for process in started:
        process.join(timeout=120)
    assert [process.exitcode for process in started] == [0] * PROCESSES
    assert [run.info.status for run in runs(store)] == ["FINISHED"] * PROCESSES
    assert all(run.data.metrics["dice"] == 0.5 for run in runs(store))
    assert {path.name for path in (tmp_path / "store").iterdir()} == {"mlruns.db"}


@pytest.mark.slow
def test_a_killed_run_is_marked_by_the_next_one(
    processes: ForkServerContext, bundle: Path, store: str, tmp_path: Path
) -> None:
    killed = in_process(processes, store, bundle, tmp_path / "killed", 2)
    killed.join(timeout=120)
    assert killed.exitcode == -signal.SIGKILL
    client = mlflow.MlflowClient(store)
    (left,) = runs(store)
    assert left.info.status == "RUNNING"
    experiment, name = left.info.experiment_id, left.data.tags["process"]
    elsewhere = client.create_run(experiment, tags={"process": f"another-host{name}"}).info.run_id
    alive = Engine(lambda engine, batch: None)
    tracker = RunTracker(bundle, "evaluate", tmp_path / "alive", {})
    tracker.attach(alive)
    alive.add_event_handler(Events.EPOCH_COMPLETED, lambda: track(bundle, tmp_path / "later"))
    alive.add_event_handler(
        Events.EPOCH_COMPLETED,
        lambda: statuses.update({run.info.run_id: run.info.status for run in runs(store)}),
    )
    statuses: dict[str, str] = {}
    alive.run([0], max_epochs=1)
    assert statuses.pop(left.info.run_id) == "KILLED"
    assert statuses.pop(elsewhere) == "RUNNING"
    assert sorted(statuses.values()) == ["FINISHED", "RUNNING"]  # the later one, and this process's own


def warning(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = [record for record in caplog.records if record.name == "tracked" and record.levelno == logging.WARNING]
    return record.getMessage()


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["train", "inference"])
def test_a_ruined_store_is_named_and_the_run_goes_on(
    bundle: Path, store: str, empty_store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, stage: str
) -> None:
    database = tmp_path / "store" / "mlruns.db"
    database.parent.mkdir()
    shutil.copy(empty_store, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE _alembic_tmp_tags (key VARCHAR(250))")
        connection.execute("DROP TABLE tags")
        connection.execute("UPDATE alembic_version SET version_num = '7ac759974ad8'")
    assert track(bundle, tmp_path / "out", stage).state.epoch == 2
    message = warning(caplog)
    assert f"{database} is unusable" in message
    assert "_alembic_tmp_tags" in message and "Move the file away" in message
    database.rename(tmp_path / "away.db")
    track(bundle, tmp_path / "out", stage)
    assert [run.info.status for run in runs(store)] == ["FINISHED"]


def test_a_store_whose_writer_was_killed_in_a_transaction_is_used_again(store: str, tmp_path: Path) -> None:
    create_store(store)
    database, copy = tmp_path / "store" / "mlruns.db", tmp_path / "copy" / "mlruns.db"
    copy.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA cache_size = 1")  # SQLite then writes to the file before the commit
        connection.executemany("INSERT INTO experiments (name) VALUES (?)", [(f"{i:0500}",) for i in range(100)])
        for file in (database, database.with_name("mlruns.db-journal")):
            shutil.copy(file, copy.parent)
    create_store(f"sqlite:///{copy}")
    assert {each.name for each in mlflow.MlflowClient(f"sqlite:///{copy}").search_experiments()} == {
        *("Default", EXPERIMENT)
    }


def test_a_new_store_has_the_experiment(store: str, tmp_path: Path) -> None:
    """Two first runs that create it at once would get in each other's way."""
    create_store(store)
    experiment = mlflow.MlflowClient(store).get_experiment_by_name(EXPERIMENT)
    assert experiment.artifact_location == (tmp_path / "store" / "mlruns").as_uri()


@pytest.mark.parametrize(
    "content", [pytest.param(b"no database " * 100, id="no database"), pytest.param(None, id="a folder")]
)
def test_a_store_that_is_none_ends_no_run(
    bundle: Path, store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    database = tmp_path / "store" / "mlruns.db"
    database.parent.mkdir()
    database.mkdir() if content is None else database.write_bytes(content)
    name_file = tmp_path / "out" / "mlflow_run.txt"
    name_file.parent.mkdir()
    name_file.write_text("an earlier run")
    assert track(bundle, tmp_path / "out").state.epoch == 2
    assert "continues without MLflow" in warning(caplog)
    assert not name_file.exists()


def test_a_server_that_does_not_answer_ends_no_run(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert track(bundle, tmp_path / "out").state.epoch == 2
    assert "http://127.0.0.1:9" in warning(caplog)


def test_a_store_that_fails_in_the_middle_gets_the_results_all_the_same(
    bundle: Path, store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "store" / "mlruns.db"
    engine = Engine(lambda engine, batch: {"loss": torch.tensor(1.0)})
    engine.logger = logging.getLogger("tracked")
    away = database.with_name("away")

    @engine.on(Events.EPOCH_STARTED(once=2))
    def lose() -> None:
        database.rename(away)
        database.mkdir()

    @engine.on(Events.EPOCH_COMPLETED(once=3))
    def find() -> None:
        database.rmdir()
        away.rename(database)

    result = tmp_path / "result.csv"
    result.write_text("dice\n0.5\n")
    RunTracker(bundle, "train", tmp_path / "out", {}, [result], iteration_interval=1).attach(engine)
    engine.run([0], max_epochs=3)
    assert "continues without MLflow" in warning(caplog)
    (run,) = runs(store)
    assert run.info.status == "FINISHED"
    assert run.data.tags["tracking_failure"]
    assert "result.csv" in [artifact.path for artifact in mlflow.MlflowClient(store).list_artifacts(run.info.run_id)]
