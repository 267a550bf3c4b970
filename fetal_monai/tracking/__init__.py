"""Experiment tracking with MLflow."""

from fetal_monai.tracking.provenance import git_commit, package_versions, provenance
from fetal_monai.tracking.run_tracker import RunTracker
from fetal_monai.tracking.store import EXPERIMENT, tracking_uri

__all__ = ["EXPERIMENT", "RunTracker", "git_commit", "package_versions", "provenance", "tracking_uri"]
