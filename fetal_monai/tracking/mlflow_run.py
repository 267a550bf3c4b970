"""The MLflow run of one run of a bundle."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine
from mlflow.entities import Dataset, DatasetInput, InputTag, Run
from monai.handlers import MLFlowHandler

from fetal_monai.data.datalist import DATALIST_NAME
from fetal_monai.files import atomic_path
from fetal_monai.files.checksum import file_sha256
from fetal_monai.tracking.process import has_ended, process_name
from fetal_monai.tracking.store import EXPERIMENT, WEIGHTS_TAG

PROCESS_TAG = "process"
"""The tag that names the process of a run: the run of a killed process stays marked as running."""


class MLflowRun(MLFlowHandler):
    """MONAI's `MLFlowHandler` with unique run names, resuming, tags, and artifacts in folders.

    Every run has a unique name, so that no other unfinished run is mistaken for it.

    Args:
        uri: MLflow's tracking URI.
        stage: What the run does: "train", "evaluate" or "inference".
        name_file: File that keeps the run's name, so that a resumed training continues its run.
        provenance: The result of `fetal_monai.tracking.provenance`.
        dataset_dir: The data set, if the bundle names one.
        config: The merged config, logged as an artifact; None outside a bundle.
        parameters: Everything to log as parameters.
        artifacts: Files and folders to log when the run completes, a folder under its own name.
        weights: The file that a training writes, or that another stage uses.
        validator: Evaluator whose metrics are logged with the engine's own after every epoch.
        resume: Whether to continue the run that `name_file` names.
    """

    def __init__(
        self,
        uri: str,
        stage: str,
        name_file: Path,
        provenance: Mapping[str, str],
        dataset_dir: str | None,
        config: Mapping[str, Any] | None,
        parameters: Mapping[str, Any],
        artifacts: Sequence[str | Path],
        weights: Path | None,
        validator: Engine | None,
        resume: bool,
    ) -> None:
        self.stage = stage
        self.name_file = name_file
        self.provenance = provenance
        self.dataset_dir = dataset_dir
        self.config = config
        self.weights = weights
        self.validator = validator
        self.resume = resume
        super().__init__(
            tracking_uri=uri,
            experiment_name=EXPERIMENT,
            experiment_param=parameters,
            artifacts=artifacts,
            output_transform=lambda output: output["loss"].item(),
            tag_name="loss",
        )

    def start(self, engine: Engine) -> None:
        """Open a new run or reopen the interrupted one, and log what is known before the first iteration."""
        self._set_experiment()
        self._mark_killed_runs()
        self.cur_run = (self._interrupted_run() if self.resume else None) or self._new_run()
        super().start(engine)
        self._log_dataset()
        if self.stage != "train":
            self._tag_weights()
        if self.config is not None:
            self.client.log_text(
                self.cur_run.info.run_id, json.dumps(self.config, indent=2, default=str), "config.json"
            )

    def complete(self, engine: Engine) -> None:
        """Log the results. MONAI's handler would log the files of a folder without the folder."""
        if self.stage == "train":
            self._tag_weights()
        elif self.stage == "inference":  # its reports count the frames only when all are done
            self._default_epoch_log(engine)
        run_id = self.cur_run.info.run_id
        for artifact in map(Path, self.artifacts):
            if artifact.is_dir():
                self.client.log_artifacts(run_id, str(artifact), artifact_path=artifact.name)
            elif artifact.is_file():  # a training without validation writes no weights
                self.client.log_artifact(run_id, str(artifact))

    def fail(self, exception: BaseException) -> None:
        """Mark the run as failed, with the reason."""
        self.tag("failure", f"{type(exception).__name__}: {exception}")
        self.client.set_terminated(self.cur_run.info.run_id, "FAILED")

    def tag(self, name: str, value: str) -> None:
        """Set a tag, cut to the length that MLflow accepts."""
        self.client.set_tag(self.cur_run.info.run_id, name, value[:5000])

    def _new_run(self) -> Run:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        name = f"{self.provenance['bundle']}-{self.stage}-{stamp}-{uuid.uuid4().hex[:6]}"
        run = self.client.create_run(self.experiment.experiment_id, run_name=name, tags=self._tags())
        with atomic_path(self.name_file) as temporary:
            temporary.write_text(name)
        return run

    def _interrupted_run(self) -> Run | None:
        """The run that was started in this folder, marked as running again; None if the store does not have it."""
        if not self.name_file.is_file():
            return None
        query = f"run_name = '{self.name_file.read_text().strip()}'"
        run = next(iter(self.client.search_runs([self.experiment.experiment_id], query)), None)
        if run is not None:
            self.client.update_run(run.info.run_id, status="RUNNING")
            for name, value in self._tags().items():
                self.client.set_tag(run.info.run_id, name, value)
        return run

    def _tags(self) -> dict[str, str]:
        process = process_name(os.getpid())
        version, commit = self.provenance["bundle_version"], self.provenance["git_commit"]
        code = {"mlflow.source.git.commit": commit} if commit != "unknown" else {}
        return {
            "bundle": self.provenance["bundle"],
            "bundle_version": version,
            "stage": self.stage,
            # In a pack, the version and the checksum name the code; there is no commit.
            "mlflow.source.name": f"{self.provenance['bundle']} {version}, code {self.provenance['code_sha256'][:12]}",
            "mlflow.source.type": "LOCAL",
            **code,
            **({} if process is None else {PROCESS_TAG: process}),
        }

    def _log_dataset(self) -> None:
        """Log the data set by the name, folder and fingerprint of its data list, if the run has one."""
        fingerprint = self.experiment_param.get("data_fingerprint")
        if self.dataset_dir is None or fingerprint is None:
            return
        folder = Path(self.dataset_dir).resolve()
        name = json.loads((folder / DATALIST_NAME).read_text(encoding="utf-8")).get("name", folder.name)
        dataset = Dataset(str(name), str(fingerprint), "local", json.dumps({"uri": folder.as_uri()}))
        context = InputTag("mlflow.data.context", str(self.experiment_param.get("section", "training")))
        self.client.log_inputs(self.cur_run.info.run_id, [DatasetInput(dataset, [context])])

    def _mark_killed_runs(self) -> None:
        """Mark as killed the runs of this host whose process has ended but which are marked as running."""
        for run in self.client.search_runs([self.experiment.experiment_id], "attributes.status = 'RUNNING'"):
            if has_ended(run.data.tags.get(PROCESS_TAG, "")):
                self.client.set_terminated(run.info.run_id, "KILLED")

    def _tag_weights(self) -> None:
        if self.weights is not None and self.weights.is_file():
            self.tag(WEIGHTS_TAG, file_sha256(self.weights))

    def _log_params(self, params: dict[str, Any]) -> None:
        # MLflow refuses to change a parameter: a resumed run keeps the values that it was started with.
        new = {key: str(value)[:6000] for key, value in params.items()}
        self._delete_exist_param_in_dict(new)
        super()._log_params(new)

    def _default_epoch_log(self, engine: Engine) -> None:
        metrics = dict(engine.state.metrics)
        if self.validator is not None:
            metrics |= self.validator.state.metrics
        # A NaN (no head measured in any image) is a gap in the curve, not a value.
        self._log_metrics({k: v for k, v in metrics.items() if v == v}, step=engine.state.epoch)
