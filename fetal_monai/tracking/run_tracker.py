"""One MLflow run for each run of a bundle."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.handlers import MLFlowHandler

from fetal_monai.data.atomic import atomic_path
from fetal_monai.tracking.provenance import provenance
from fetal_monai.tracking.store import EXPERIMENT, WEIGHTS_TAG, tracking_uri
from fetal_monai.weights.state_dict import file_sha256
from fetal_monai.workflow.running import running_parser


class RunTracker(MLFlowHandler):
    """Logs a run of a bundle to MLflow: what it was, how it went, what came out.

    MONAI's `MLFlowHandler` with what it leaves to its caller. Every run has a name of its own, so that no unfinished
    run of anybody else is taken for it. Parameters and tags hold the bundle, its version, the git commit, the versions
    of the packages and PyTorch's threads; the merged config is an artifact. A run that fails is marked FAILED.

    Attach it last: it logs the metrics that the handlers before it leave in the engine's state.

    Args:
        bundle_root: the bundle's folder.
        stage: what the run does: "train", "evaluate" or "inference".
        output_dir: where the run writes. The run's name is kept there, so that a resumed training goes on in its run.
        parameters: what else to log as parameters; values as text.
        artifacts: files and folders that are logged when the run completes, a folder under its own name.
        weights: the file that a training makes, or that another stage uses. Its SHA-256 becomes the tag
            `weights_sha256`: by it an evaluation finds the training that made its weights.
        validator: its metrics are logged beside the engine's own after every epoch.
        iteration_interval: the loss is logged at every so many iterations (a write costs about 17 ms).
        resume: go on in the run that was interrupted in `output_dir`.
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
        self.provenance = provenance(bundle_root)
        self.stage = stage
        self.weights = None if weights is None else Path(weights)
        self.validator = validator
        parser = running_parser()
        self.config = None if parser is None else parser.config
        self.name_file = Path(output_dir) / "mlflow_run.txt"
        self.resume = resume
        super().__init__(
            tracking_uri=tracking_uri(bundle_root),
            experiment_name=EXPERIMENT,
            experiment_param={**self.provenance, "stage": stage, "cpu_threads": torch.get_num_threads(), **parameters},
            artifacts=artifacts,
            iteration_log=(lambda _, iteration: iteration % iteration_interval == 0) if stage == "train" else False,
            output_transform=lambda output: output["loss"].item(),
            tag_name="loss",
            close_on_complete=True,
        )

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer or the evaluator."""
        super().attach(engine)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self.fail)

    def start(self, engine: Engine) -> None:
        """Open the run, or the interrupted one again, and log what is known before the first iteration."""
        if self.resume and self.name_file.is_file():
            self.run_name = self.name_file.read_text().strip()
            self._set_experiment()
            # MONAI takes up no run that is marked as finished, as that of a training to be prolonged is.
            for run in self.client.search_runs([self.experiment.experiment_id], f"run_name = '{self.run_name}'"):
                self.cur_run = run
        else:
            stamp = time.strftime("%Y%m%d-%H%M%S")
            self.run_name = f"{self.provenance['bundle']}-{self.stage}-{stamp}-{uuid.uuid4().hex[:6]}"
            with atomic_path(self.name_file) as temporary:
                temporary.write_text(self.run_name)
        super().start(engine)
        run_id = self.cur_run.info.run_id
        self.client.update_run(run_id, status="RUNNING")
        for tag in ("bundle", "bundle_version"):
            self.client.set_tag(run_id, tag, self.provenance[tag])
        self.client.set_tag(run_id, "stage", self.stage)
        self.client.set_tag(run_id, "mlflow.source.git.commit", self.provenance["git_commit"])
        if self.stage != "train":
            self._tag_weights()
        if self.config is not None:
            self.client.log_text(run_id, json.dumps(self.config, indent=2, default=str), "config.json")

    def complete(self) -> None:
        """Log what came out: MONAI's handler would strew a folder's files over the run's own folder."""
        if self.stage == "train":
            self._tag_weights()
        run_id = self.cur_run.info.run_id
        for artifact in map(Path, self.artifacts):
            if artifact.is_dir():
                self.client.log_artifacts(run_id, str(artifact), artifact_path=artifact.name)
            elif artifact.is_file():  # a training without validation leaves no weights
                self.client.log_artifact(run_id, str(artifact))

    def fail(self, engine: Engine, exception: BaseException) -> None:
        """Mark the run as failed, with the reason, and raise it again: Ignite swallows what no handler raises."""
        if self.cur_run is not None:
            self.client.set_tag(self.cur_run.info.run_id, "failure", f"{type(exception).__name__}: {exception}"[:5000])
            self.client.set_terminated(self.cur_run.info.run_id, "FAILED")
        raise exception

    def _tag_weights(self) -> None:
        if self.weights is not None and self.weights.is_file():
            self.client.set_tag(self.cur_run.info.run_id, WEIGHTS_TAG, file_sha256(self.weights))

    def _log_params(self, params: dict[str, Any]) -> None:
        # MLflow refuses a parameter's second value: a resumed run keeps those that it was started with.
        new = {key: str(value)[:6000] for key, value in params.items()}
        self._delete_exist_param_in_dict(new)
        super()._log_params(new)

    def _default_epoch_log(self, engine: Engine) -> None:
        metrics = dict(engine.state.metrics)
        if self.validator is not None:
            metrics |= self.validator.state.metrics
        # A NaN (no head measured in any image) is a gap in the curve, not a value.
        self._log_metrics({k: v for k, v in metrics.items() if v == v}, step=engine.state.epoch)
