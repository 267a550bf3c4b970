"""Ignite handlers: what happens around the iterations of a run."""

from .evaluation_report import EvaluationReport
from .failure import on_failure
from .sample_overlays import SampleOverlays
from .training_state import BestNetwork, TrainingState

__all__ = ["BestNetwork", "EvaluationReport", "SampleOverlays", "TrainingState", "on_failure"]
