"""Evaluations, and the trainings that made their weights, read from an MLflow store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.files.csv_cell import cell_text
from fetal_monai.tracking import EXPERIMENT, WEIGHTS_TAG

PER_IMAGE, MASKS = "per_image.csv", "masks"

# What a run logs as parameters and a table shows as measures.
_COSTS = ("parameters", "gmacs")


@dataclass(frozen=True)
class Training:
    """A finished training.

    Attributes:
        run_id: MLflow's identifier.
        name: The run's name.
        parameters: Logged parameters.
        histories: Values of each metric by epoch.
    """

    run_id: str
    name: str
    parameters: Mapping[str, str]
    histories: Mapping[str, Mapping[int, float]]

    @property
    def fold(self) -> str | None:
        """The fold of a cross-validation; None if there is none."""
        return _fold(self.parameters)

    @property
    def epochs(self) -> int:
        """Number of epochs run: an extended training keeps the parameter that it was started with."""
        return max(self.histories.get("train_loss", {0: 0.0}))

    @property
    def time_limit(self) -> bool:
        """Whether a time limit decided the number of epochs."""
        return self.parameters.get("time_limit_s", "None") != "None"


@dataclass(frozen=True)
class Evaluation:
    """A finished evaluation of one file of weights.

    Attributes:
        run_id: MLflow's identifier.
        name: The run's name.
        parameters: Logged parameters.
        metrics: Means over the frames by metric, and the network's `parameters` and `gmacs`.
        per_image: One row per frame, one column per metric. The index is the file name, with the frame number if the
            frame is from a cine loop.
        weights: SHA-256 of the weights, or their path if the run logged none.
        training: The training that made the weights; None if it is not in the store.
    """

    run_id: str
    name: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    per_image: pd.DataFrame
    weights: str
    training: Training | None

    @property
    def seed(self) -> str | None:
        """The training's seed; None if the training is unknown."""
        return None if self.training is None else self.training.parameters.get("seed")

    @property
    def fold(self) -> str | None:
        """The tested fold of a cross-validation; None if there is none."""
        return _fold(self.parameters)

    @property
    def chance(self) -> str | None:
        """Fold and seed, which distinguish it from other runs of its method; None if the training is unknown."""
        if self.seed is None:
            return None
        return f"seed {self.seed}" if self.fold is None else f"fold {self.fold}, seed {self.seed}"


class Store:
    """The runs of this project in an MLflow store.

    Args:
        uri: MLflow's tracking URI.

    Raises:
        ComparisonError: The store has no run of this project.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.client = mlflow.MlflowClient(uri)
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            raise ComparisonError(f"{uri} has no experiment '{EXPERIMENT}'. Give another store with --store.")
        self.experiment_id: str = experiment.experiment_id

    def evaluations(self, wanted: Mapping[str, str], names: Sequence[str] = ()) -> list[Evaluation]:
        """Return the finished evaluations, the newest first.

        A training is found by the SHA-256 of its weights; if several made the same file, the newest is taken.

        Args:
            wanted: Parameters, such as the section, that an evaluation must have logged with these values.
            names: Names of evaluations or trainings to select; empty for all.

        Raises:
            ComparisonError: There are none, a name is unknown, a named run has parameters other than those wanted, or
                a run has no `per_image.csv`.
        """
        trainings: dict[str, mlflow.entities.Run] = {}
        for run in self._runs("train"):
            if WEIGHTS_TAG in run.data.tags:
                trainings.setdefault(run.data.tags[WEIGHTS_TAG], run)
        pairs = [(run, trainings.get(run.data.tags.get(WEIGHTS_TAG, ""))) for run in self._runs("evaluate")]
        for name in names:
            _check_name(name, {run.info.run_name for pair in pairs for run in pair if run is not None}, self.uri)
        if names:
            pairs = [pair for pair in pairs if any(run is not None and run.info.run_name in names for run in pair)]
        evaluations = []
        for run, training in pairs:
            found = {key: run.data.params.get(key, "unknown") for key in wanted}
            if found == wanted:
                evaluations.append(self._evaluation(run, training))
            elif run.info.run_name in names:
                raise ComparisonError(
                    f"{run.info.run_name} was evaluated with {_stated(found)}; this comparison is of {_stated(wanted)}."
                    " Remove it from --runs, or compare it with runs of the same kind."
                )
        if not evaluations:
            raise ComparisonError(
                f"{self.uri} has no finished evaluation with {_stated(wanted)}. Evaluate first "
                "(python -m monai.bundle run evaluating ...), or give another store with --store."
            )
        return evaluations

    def artifact(self, run_id: str, path: str) -> Path | None:
        """Return the local copy of an artifact; None if the run has no artifact of that name."""
        try:
            return Path(self.client.download_artifacts(run_id, path))
        except (MlflowException, OSError):
            return None

    def _runs(self, stage: str) -> list[mlflow.entities.Run]:
        runs: list[mlflow.entities.Run] = []
        query = f"tags.stage = '{stage}' and attributes.status = 'FINISHED'"
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment_id], query, order_by=["attributes.start_time DESC"], page_token=token
            )
            runs += page
            token = page.token
            if not token:
                return runs

    def _evaluation(self, run: mlflow.entities.Run, training: mlflow.entities.Run | None) -> Evaluation:
        table = self.artifact(run.info.run_id, PER_IMAGE)
        if table is None:
            raise ComparisonError(
                f"{run.info.run_name} has no artifact {PER_IMAGE} in {self.uri}. Evaluate these weights again, or "
                "select the other runs with --runs."
            )
        parameters = run.data.params
        return Evaluation(
            run_id=run.info.run_id,
            name=run.info.run_name,
            parameters=parameters,
            metrics={**{key: float(parameters[key]) for key in _COSTS if key in parameters}, **run.data.metrics},
            per_image=_read_per_image(table),
            weights=run.data.tags.get(WEIGHTS_TAG, parameters.get("weights", run.info.run_id)),
            training=None if training is None else self._training(training),
        )

    def _training(self, run: mlflow.entities.Run) -> Training:
        # The loss of single iterations is omitted: its steps are not epochs.
        metrics = [metric for metric in run.data.metrics if metric != "loss"]
        return Training(
            run_id=run.info.run_id,
            name=run.info.run_name,
            parameters=run.data.params,
            histories={
                metric: {point.step: point.value for point in self.client.get_metric_history(run.info.run_id, metric)}
                for metric in metrics
            },
        )


def _fold(parameters: Mapping[str, str]) -> str | None:
    fold = parameters.get("fold", "None")
    return None if fold == "None" else fold


def _read_per_image(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, converters={"image": cell_text})
    if "frame" in table:
        of_loop = table["frame"].notna()
        table.loc[of_loop, "image"] += " " + table.loc[of_loop, "frame"].astype(int).astype(str)
    return table.set_index("image")


def _check_name(name: str, known: set[str], uri: str) -> None:
    if name not in known:
        raise ComparisonError(
            f"{uri} has no finished evaluation named '{name}', and no training of that name whose weights were "
            f"evaluated. Expected one of: {', '.join(sorted(known)) or 'none'}."
        )


def _stated(parameters: Mapping[str, str]) -> str:
    return " and ".join(f"{key} = {value}" for key, value in parameters.items())
