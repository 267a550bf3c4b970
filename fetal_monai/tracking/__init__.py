"""Experiment tracking with MLflow."""

from .provenance import git_commit, provenance, running_config
from .run_tracker import RunTracker
from .store import EXPERIMENT, tracking_uri

__all__ = ["EXPERIMENT", "RunTracker", "git_commit", "provenance", "running_config", "tracking_uri"]
