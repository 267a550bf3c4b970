"""Log the comparison as a run in the store that it was read from."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlflow.entities import Param, RunTag

from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.store import Store
from fetal_monai.tracking import git_commit, package_versions

STAGE = "comparison"


def track(store: Store, methods: Sequence[Method], parameters: Mapping[str, object], artifacts: Sequence[Path]) -> str:
    """Log a comparison as a run of stage "comparison", and return the run's name.

    Args:
        store: Store to log to.
        methods: Methods that were compared.
        parameters: Options of the comparison.
        artifacts: Files and folders that it wrote.
    """
    name = f"{STAGE}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
    commit = git_commit(Path(__file__).parent)
    run_id = store.client.create_run(store.experiment_id, run_name=name).info.run_id
    logged = {"stage": STAGE, "git_commit": commit, **package_versions(), **parameters, "methods": len(methods)}
    store.client.log_batch(
        run_id,
        params=[Param(key, str(value)) for key, value in logged.items()],
        tags=[RunTag("stage", STAGE), RunTag("mlflow.source.git.commit", commit)],
    )
    for artifact in artifacts:
        if artifact.is_dir():
            store.client.log_artifacts(run_id, str(artifact), artifact_path=artifact.name)
        else:
            store.client.log_artifact(run_id, str(artifact))
    store.client.set_terminated(run_id)
    return name
