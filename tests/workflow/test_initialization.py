from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from monai.bundle import ConfigWorkflow

from fetal_monai.tracking import EXPERIMENT, tracking_uri
from tests.bundles.conftest import REPOSITORY

TRAINING = {
    "imports": ["$import fetal_monai", "$import torch"],
    "bundle_root": ".",
    "output_dir": "$@bundle_root + '/out'",
    "stage": "train",
    "dataset_dir": ".",
    "resume": False,
    "is_not_rank0": False,
    "network": {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1},
    "train": {
        "handlers": [
            {
                "_target_": "fetal_monai.tracking.RunTracker",
                "_disabled_": "@is_not_rank0",
                "bundle_root": "@bundle_root",
                "stage": "@stage",
                "output_dir": "@output_dir",
                "parameters": {},
            }
        ],
        "trainer": {
            "_target_": "SupervisedTrainer",
            "device": "$torch.device('cpu')",
            "max_epochs": 2,
            "train_data_loader": "$[{'image': torch.ones(1, 1), 'label': torch.ones(1, 1)}]",
            "network": "@network",
            "optimizer": "$torch.optim.SGD(@network.parameters(), 0.1)",
            "loss_function": "$torch.nn.MSELoss()",
            "train_handlers": "@train#handlers",
            "decollate": False,
        },
    },
    "initialize": ["$fetal_monai.workflow.initialize(@bundle_root, @stage)"],
    "run": ["$fetal_monai.workflow.run_in_folder(@output_dir, @stage, @train#trainer, @resume)"],
}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "configs").mkdir()
    metadata = {"bundle": "toy", "version": "0.1.0"}
    for name, content in (("metadata", metadata), ("train", TRAINING)):
        (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def workflow(bundle: Path, **options: Any) -> ConfigWorkflow:
    return ConfigWorkflow(
        str(bundle / "configs" / "train.json"), bundle_root=str(bundle), logging_file=False, **options
    )


def test_monais_tracking_replaces_ours(bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    training = workflow(bundle, tracking="mlflow")
    with caplog.at_level(logging.INFO, logger="fetal_monai"):
        training.initialize()
        training.run()
    assert [each for each in caplog.messages if each.startswith("--tracking: MONAI's handler tracks this run")]
    client = mlflow.MlflowClient(f"sqlite:///{bundle}/out/mlruns.db")
    (run,) = client.search_runs([client.get_experiment_by_name("monai_experiment").experiment_id])
    losses = [each.value for each in client.get_metric_history(run.info.run_id, "train_loss")]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert not (bundle / "out" / "mlflow_run.txt").exists()
    assert not Path(tracking_uri(bundle).removeprefix("sqlite:///")).exists()


def test_the_store_of_all_runs_stays_where_it_is(bundle: Path) -> None:
    for _ in range(2):
        training = workflow(bundle, output_dir=str(bundle))
        training.initialize()
        training.run()
    client = mlflow.MlflowClient(tracking_uri(bundle))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    names = {run.info.run_name for run in client.search_runs([experiment.experiment_id])}
    assert names == {(folder / "mlflow_run.txt").read_text() for folder in (bundle, bundle / "run_1")}
    assert len(names) == 2


@pytest.mark.parametrize(("stage", "advice"), [("train", "multi_gpu_train.json"), ("evaluate", "without torchrun")])
def test_processes_that_do_not_share_their_work(
    stage: str, advice: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")  # as torchrun sets it
    with pytest.raises(RuntimeError) as raised:
        workflow(bundle, stage=stage).initialize()
    assert "This was started 2 times (WORLD_SIZE=2)" in str(raised.value.__cause__)
    assert advice in str(raised.value.__cause__)


@pytest.mark.slow
def test_torchrun_of_an_inference_ends_with_one_line(tmp_path: Path) -> None:
    bundle = tmp_path / "bisenet"
    shutil.copytree(REPOSITORY / "bundles" / "bisenet", bundle, ignore=shutil.ignore_patterns("output", "docs"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "monai.bundle"]
    done = subprocess.run(
        [*launch, "run", "inferring", "--config_file", "configs/inference.json", "--dataset_dir", str(tmp_path)],
        cwd=bundle,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Error: This was started 2 times" in done.stderr
    assert "Failed to evaluate" not in done.stderr
    assert not (bundle / "output").exists()
