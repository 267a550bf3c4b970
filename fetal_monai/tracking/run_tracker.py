"""One MLflow run for each run of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigParser

from fetal_monai.tracking.mlflow_run import MLflowRun
from fetal_monai.tracking.provenance import provenance
from fetal_monai.tracking.store import create_store, tracking_uri
from fetal_monai.workflow.running import running_parser

# By default MLflow tries for four minutes or longer to reach a server; a measurement should not wait that long.
_SERVER_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}


class RunTracker:
    """Log a run of a bundle to MLflow: its parameters, metrics and results.

    Parameters and tags contain the bundle, its version, the git commit, the versions of the packages and the number of
    PyTorch's threads; the data set is an input, and the merged config an artifact. An inference logs how many frames
    were measured and how many failed. A run that fails is marked FAILED. A run that was killed is
    marked KILLED by the next run on the same host that uses the same store.

    Tracking never ends a run. When MLflow fails (full disk, locked database, no server), one warning says why, and no
    more metrics are logged. At the end the results are still logged if MLflow accepts them; the tag `tracking_failure`
    then says why metrics are missing.

    Attach it last: it logs the metrics that the handlers before it leave in the engine's state.

    Args:
        bundle_root: The bundle's folder.
        stage: What the run does: "train", "evaluate" or "inference".
        output_dir: Output folder of the run. It keeps the run's name, so that a resumed training continues its run.
        parameters: Further parameters to log; values as text.
        artifacts: Files and folders to log when the run completes, a folder under its own name.
        weights: The file that a training writes, or that another stage uses. Its SHA-256 becomes the tag
            `weights_sha256`, by which an evaluation finds the training that made its weights.
        validator: Evaluator whose metrics are logged with the engine's own after every epoch.
        iteration_interval: Number of iterations between two logged losses of a training (a write costs about 17 ms).
        resume: Whether to continue the run that was interrupted in `output_dir`.

    Raises:
        FileNotFoundError: `bundle_root` is not a bundle.
    """

    def __init__(
        self,
        bundle_root: str | Path,
        stage: str,
        output_dir: str | Path,
        parameters: Mapping[str, Any],
        artifacts: Sequence[str | Path] = (),
        weights: str | Path | None = None,
        validator: Engine | None = None,
        iteration_interval: int = 50,
        resume: bool = False,
    ) -> None:
        origin = provenance(bundle_root)
        parser = running_parser()
        self.bundle_root = bundle_root
        self.iteration_interval = iteration_interval if stage == "train" else None
        self.name_file = Path(output_dir) / "mlflow_run.txt"
        self.resume = resume
        self.run: MLflowRun | None = None
        self.failure: str | None = None
        self._make_run = partial(
            MLflowRun,
            stage=stage,
            name_file=self.name_file,
            provenance=origin,
            dataset_dir=_dataset_dir(parser),
            config=None if parser is None else parser.config,
            parameters={**origin, "stage": stage, "cpu_threads": torch.get_num_threads(), **parameters},
            artifacts=artifacts,
            weights=None if weights is None else Path(weights),
            validator=validator,
            resume=resume,
        )

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer or the evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        if self.iteration_interval is not None:
            engine.add_event_handler(Events.ITERATION_COMPLETED(every=self.iteration_interval), self.log_iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.log_epoch)
        engine.add_event_handler(Events.COMPLETED, self.complete)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self.fail)

    def start(self, engine: Engine) -> None:
        """Open the run, and log what is known before the first iteration."""
        for variable, value in _SERVER_PATIENCE.items():
            os.environ.setdefault(variable, value)
        with self._at_most_warning(engine):
            if not self.resume:
                self.name_file.unlink(missing_ok=True)  # it names an earlier run
            uri = tracking_uri(self.bundle_root)
            create_store(uri)
            run = self._make_run(uri)
            run.start(engine)
            self.run = run

    def log_iteration(self, engine: Engine) -> None:
        """Log the loss."""
        if self.run is not None and self.failure is None:
            with self._at_most_warning(engine):
                self.run.iteration_completed(engine)

    def log_epoch(self, engine: Engine) -> None:
        """Log the metrics of the engine and of the validator."""
        if self.run is not None and self.failure is None:
            with self._at_most_warning(engine):
                self.run.epoch_completed(engine)

    def complete(self, engine: Engine) -> None:
        """Log the results, and close the run."""
        if self.run is not None:
            with self._at_most_warning(engine):
                self.run.complete(engine)
            with self._at_most_warning(engine):
                if self.failure is not None:
                    self.run.tag("tracking_failure", self.failure)
                self.run.close()

    def fail(self, engine: Engine, exception: BaseException) -> None:
        """Mark the run as failed, with the reason, and re-raise: otherwise Ignite would swallow the exception."""
        if self.run is not None:
            with self._at_most_warning(engine):
                self.run.fail(exception)
        raise exception

    @contextmanager
    def _at_most_warning(self, engine: Engine) -> Iterator[None]:
        """Keep errors of the tracking from ending the run; the first one is logged."""
        try:
            yield
        except Exception as error:
            if self.failure is None:
                engine.logger.warning(
                    f"This run continues without MLflow, which failed: {type(error).__name__}: {error}\n"
                    "Check the store in MLFLOW_TRACKING_URI, or mlruns/mlruns.db if it is not set."
                )
            self.failure = f"{type(error).__name__}: {error}"


def _dataset_dir(parser: ConfigParser | None) -> str | None:
    """The data set of the running bundle, if it names one."""
    if parser is None or "dataset_dir" not in parser:
        return None
    folder = parser.get_parsed_content("dataset_dir")
    return None if folder is None else str(folder)
