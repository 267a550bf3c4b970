"""Ignite handlers: what happens around the iterations of a run."""

from .evaluation_report import EvaluationReport
from .measurement_report import MeasurementReport
from .sample_overlays import SampleOverlays
from .training_state import BestNetwork, TrainingState

__all__ = ["BestNetwork", "EvaluationReport", "MeasurementReport", "SampleOverlays", "TrainingState"]
