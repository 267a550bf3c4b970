"""Experiment tracking with MLflow."""

from fetal_monai.tracking.provenance import git_commit, package_versions, provenance
from fetal_monai.tracking.run_tracker import RunTracker
from fetal_monai.tracking.store import EXPERIMENT, WEIGHTS_TAG, create_store, tracking_uri

__all__ = [
    "EXPERIMENT",
    "WEIGHTS_TAG",
    "RunTracker",
    "create_store",
    "git_commit",
    "package_versions",
    "provenance",
    "tracking_uri",
]
