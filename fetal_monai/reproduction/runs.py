"""The finished runs of a reproduction, read from its MLflow store."""

from __future__ import annotations

from pathlib import Path

import mlflow
from mlflow.entities import Run

from fetal_monai.reproduction.plan import EVALUATION, TRAINING, Job
from fetal_monai.tracking import EXPERIMENT, WEIGHTS_TAG, create_store


class Runs:
    """The finished runs in a store.

    The comparison reads them there, so a run that is not in the store counts as not finished. A store that is a file is
    created if it does not exist.

    Args:
        uri: MLflow's tracking URI.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        create_store(uri)
        self.client = mlflow.MlflowClient(uri)

    @classmethod
    def in_folder(cls, folder: Path) -> Runs:
        """Return the runs in a store in this folder, which also keeps their artifacts; create it if necessary."""
        folder = folder.resolve()
        runs = cls(f"sqlite:///{folder / 'mlruns.db'}")
        if runs.client.get_experiment_by_name(EXPERIMENT) is None:
            # By default, MLflow puts the artifacts of a SQLite store into the working directory.
            runs.client.create_experiment(EXPERIMENT, artifact_location=folder.as_uri())
        return runs

    def training(self, job: Job) -> Run | None:
        """Return the run of a job's finished training; None if it is not finished."""
        return self._finished(job.output_dir(TRAINING))

    def evaluation(self, job: Job) -> Run | None:
        """Return the run of a job's finished evaluation; None if it is not finished, or used other weights."""
        trained, evaluated = self.training(job), self._finished(job.output_dir(EVALUATION))
        if trained is None or evaluated is None:
            return None
        return evaluated if evaluated.data.tags.get(WEIGHTS_TAG) == trained.data.tags.get(WEIGHTS_TAG) else None

    def _finished(self, output_dir: Path) -> Run | None:
        name_file = output_dir / "mlflow_run.txt"
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None or not name_file.is_file():
            return None
        query = f"run_name = '{name_file.read_text().strip()}' and attributes.status = 'FINISHED'"
        return next(iter(self.client.search_runs([experiment.experiment_id], query)), None)
