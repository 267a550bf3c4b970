"""Where runs are kept: one MLflow store for all bundles of a checkout."""

from __future__ import annotations

import os
from pathlib import Path

EXPERIMENT = "fetal_monai"
WEIGHTS_TAG = "weights_sha256"
"""The tag by which an evaluation finds the training that made its weights."""


def tracking_uri(bundle_root: str | Path) -> str:
    """Return the URI of the MLflow store that the runs of a bundle go to.

    `MLFLOW_TRACKING_URI` if it is set. Else one SQLite file for all bundles, so that they can be compared:
    `mlruns/mlruns.db` in the folder that holds `bundles/`, or in the bundle itself where it stands alone.
    """
    if named := os.environ.get("MLFLOW_TRACKING_URI"):
        return named
    root = Path(bundle_root).resolve()
    home = root.parent.parent if root.parent.name == "bundles" else root
    store = home / "mlruns"
    store.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{store / 'mlruns.db'}"
