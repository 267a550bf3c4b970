import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import mlflow
import pytest
from ignite.engine import Engine, Events

from fetal_monai.tracking import EXPERIMENT, RunTracker, git_commit, provenance, tracking_uri


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    root = tmp_path / "bundles" / "toy"
    (root / "configs").mkdir(parents=True)
    (root / "configs" / "metadata.json").write_text(json.dumps({"bundle": "toy", "version": "1.2.3"}))
    return root


@pytest.fixture
def client(bundle: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = tracking_uri(bundle)
    shutil.copy(empty_store, uri.removeprefix("sqlite:///"))
    return mlflow.MlflowClient(uri)


def _runs(client: mlflow.MlflowClient) -> list[mlflow.entities.Run]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return [] if experiment is None else list(client.search_runs([experiment.experiment_id]))


def _engine(tracker: RunTracker, fail_in: int | None = None) -> Engine:
    def step(engine: Engine, batch: int) -> dict[str, object]:
        import torch

        if engine.state.epoch == fail_in:
            raise RuntimeError("the disk is full")
        return {"loss": torch.tensor(1.0 / engine.state.iteration)}

    engine = Engine(step)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.state.metrics.update(dice=0.5 + 0.1 * e.state.epoch))
    tracker.attach(engine)
    return engine


def test_one_store_for_all_bundles_of_a_checkout(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    expected = f"sqlite:///{bundle.parent.parent / 'mlruns' / 'mlruns.db'}"
    assert tracking_uri(bundle) == tracking_uri(bundle.parent / "other") == expected
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert tracking_uri(bundle) == "http://localhost:5000"


def test_a_bundle_that_stands_alone_keeps_its_own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(tmp_path / "alone") == f"sqlite:///{tmp_path / 'alone' / 'mlruns' / 'mlruns.db'}"


def test_a_bundle_inside_the_installed_package_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    installed = tmp_path / "site-packages" / "fetal_monai" / "_bundles" / "soft_proposal"
    assert tracking_uri(installed) == f"sqlite:///{tmp_path / 'mlruns' / 'mlruns.db'}"
    assert not installed.exists()


def test_a_run_logs_what_it_was_and_how_it_went(bundle: Path, client: mlflow.MlflowClient, tmp_path: Path) -> None:
    artifact = tmp_path / "weights.bin"
    artifact.write_bytes(b"weights")
    tracker = RunTracker(bundle, "train", tmp_path / "out", {"learning_rate": 0.1}, [artifact], iteration_interval=2)
    _engine(tracker).run(range(4), max_epochs=3)
    (run,) = _runs(client)
    assert run.info.status == "FINISHED"
    assert run.info.run_name.startswith("toy-train-")
    assert run.data.params["learning_rate"] == "0.1"
    assert run.data.params["bundle_version"] == "1.2.3"
    assert {"version_monai", "version_torch", "git_commit", "code_sha256"} <= run.data.params.keys()
    assert run.data.tags["bundle"] == "toy"
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "dice")] == [
        (1, pytest.approx(0.6)),
        (2, pytest.approx(0.7)),
        (3, pytest.approx(0.8)),
    ]
    assert [m.step for m in client.get_metric_history(run.info.run_id, "loss")] == [2, 4, 6, 8, 10, 12]
    assert "weights.bin" in [a.path for a in client.list_artifacts(run.info.run_id)]


def test_the_source_names_the_code_where_there_is_no_commit(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    _engine(RunTracker(bundle, "train", tmp_path / "out", {})).run([0], max_epochs=1)
    (run,) = _runs(client)
    code = provenance(bundle)["code_sha256"]
    assert run.data.tags["mlflow.source.name"] == f"toy 1.2.3, code {code[:12]}"
    assert "mlflow.source.git.commit" not in run.data.tags


def test_an_inference_logs_what_its_reports_count_at_the_end(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    engine = Engine(lambda engine, batch: None)
    engine.add_event_handler(Events.COMPLETED, lambda e: e.state.metrics.update(frames_measured=3, frames_failed=1))
    RunTracker(bundle, "inference", tmp_path / "out", {}).attach(engine)
    engine.run([0], max_epochs=1)
    (run,) = _runs(client)
    assert run.data.metrics == {"frames_measured": 3, "frames_failed": 1}


def test_an_evaluation_finds_its_training_by_the_weights_and_folders_stay_folders(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    weights, masks = tmp_path / "model.pt", tmp_path / "masks"
    tracker = RunTracker(bundle, "train", tmp_path / "train", {}, weights=weights)
    engine = _engine(tracker)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: weights.write_bytes(b"epoch %d" % e.state.epoch))
    engine.run(range(2), max_epochs=2)
    masks.mkdir()
    (masks / "1_mask.png").write_bytes(b"mask")
    _engine(RunTracker(bundle, "evaluate", tmp_path / "evaluate", {}, [masks], weights=weights)).run([0], max_epochs=1)
    evaluation, training = _runs(client)
    expected = hashlib.sha256(b"epoch 2").hexdigest()
    assert [run.data.tags["weights_sha256"] for run in (evaluation, training)] == [expected, expected]
    assert [a.path for a in client.list_artifacts(evaluation.info.run_id)] == ["masks"]
    assert [a.path for a in client.list_artifacts(evaluation.info.run_id, "masks")] == ["masks/1_mask.png"]


def test_a_planted_unfinished_run_is_left_untouched(bundle: Path, client: mlflow.MlflowClient, tmp_path: Path) -> None:
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    planted = client.create_run(experiment, run_name="somebody else's")
    before = client.get_run(planted.info.run_id).to_dictionary()
    _engine(RunTracker(bundle, "train", tmp_path / "out", {})).run(range(2), max_epochs=1)
    assert client.get_run(planted.info.run_id).to_dictionary() == before
    assert len(_runs(client)) == 2


def test_a_failed_run_is_marked_and_the_failure_is_seen(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    tracker = RunTracker(bundle, "train", tmp_path / "out", {})
    with pytest.raises(RuntimeError, match="the disk is full"):
        _engine(tracker, fail_in=2).run(range(2), max_epochs=3)
    (run,) = _runs(client)
    assert run.info.status == "FAILED"
    assert run.data.tags["failure"] == "RuntimeError: the disk is full"


def test_a_resumed_run_goes_on_in_the_same_mlflow_run(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError):
        _engine(RunTracker(bundle, "train", tmp_path / "out", {"epochs": 2}), fail_in=2).run(range(2), max_epochs=2)
    # A parameter that has changed keeps its first value: MLflow would refuse a second one.
    _engine(RunTracker(bundle, "train", tmp_path / "out", {"epochs": 5}, resume=True)).run(range(2), max_epochs=1)
    (run,) = _runs(client)
    assert run.info.status == "FINISHED"
    assert run.data.params["epochs"] == "2"


def test_a_prolonged_training_goes_on_in_its_finished_run(
    bundle: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    _engine(RunTracker(bundle, "train", tmp_path / "out", {})).run(range(2), max_epochs=1)
    _engine(RunTracker(bundle, "train", tmp_path / "out", {}, resume=True)).run(range(2), max_epochs=2)
    (run,) = _runs(client)
    assert run.info.status == "FINISHED"
    assert {metric.step for metric in client.get_metric_history(run.info.run_id, "dice")} == {1, 2}


def test_two_trainings_into_one_folder_are_two_runs(bundle: Path, client: mlflow.MlflowClient, tmp_path: Path) -> None:
    for _ in range(2):
        _engine(RunTracker(bundle, "train", tmp_path / "out", {})).run(range(2), max_epochs=1)
    assert len({run.info.run_name for run in _runs(client)}) == 2


def test_an_unknown_bundle_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is not a bundle.*metadata\.json.*--bundle_root"):
        provenance(tmp_path)


def test_code_outside_a_checkout_has_a_checksum(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    before = provenance(bundle)
    assert before["git_commit"] == "unknown"
    assert provenance(tmp_path / "copy")["code_sha256"] == before["code_sha256"]
    (bundle / "configs" / "train.json").write_text("{}")
    assert provenance(bundle)["code_sha256"] != before["code_sha256"]


def test_git_commit_tells_changes(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert git_commit(tmp_path) == "unknown"
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", ".")
    git("commit", "-qm", "one")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD") + "+changes"
