"""Log a cohort as one run in MLflow."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from fetal_monai.tracking import EXPERIMENT, WEIGHTS_TAG, create_store

STAGE = "cohort"


def track(uri: str, run: Mapping[str, object], metrics: Mapping[str, float], files: Mapping[str, bytes]) -> str:
    """Log a cohort as a run of stage "cohort", and return the run's name.

    Args:
        uri: MLflow's tracking URI.
        run: What was measured, and how; with the key `weights_sha256`.
        metrics: Its numbers.
        files: Contents of its files by name.
    """
    create_store(uri)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    experiment_id = client.create_experiment(EXPERIMENT) if experiment is None else experiment.experiment_id
    name = f"{run['bundle']}-{STAGE}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
    run_id = client.create_run(experiment_id, run_name=name).info.run_id
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
        params=[Param(key, str(value)) for key, value in run.items()],
        tags=[RunTag("stage", STAGE), RunTag(WEIGHTS_TAG, str(run["weights_sha256"]))],
    )
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            Path(folder, file).write_bytes(content)
        client.log_artifacts(run_id, folder)
    client.set_terminated(run_id)
    return name
