"""Ignite handlers: reports, checkpoints and checks around the iterations of a run."""

from fetal_monai.handlers.discriminator_watch import DiscriminatorWatch
from fetal_monai.handlers.evaluation_report import EvaluationReport
from fetal_monai.handlers.frame_time import FrameTime
from fetal_monai.handlers.measurement_report import MeasurementReport
from fetal_monai.handlers.region_overlays import RegionOverlays
from fetal_monai.handlers.region_report import RegionReport
from fetal_monai.handlers.region_table import RegionTable
from fetal_monai.handlers.sample_overlays import SampleOverlays
from fetal_monai.handlers.stop_on_non_finite import StopOnNonFinite
from fetal_monai.handlers.time_limit import TimeLimit
from fetal_monai.handlers.training_state import BestNetwork, TrainingState

__all__ = [
    "BestNetwork",
    "DiscriminatorWatch",
    "EvaluationReport",
    "FrameTime",
    "MeasurementReport",
    "RegionOverlays",
    "RegionReport",
    "RegionTable",
    "SampleOverlays",
    "StopOnNonFinite",
    "TimeLimit",
    "TrainingState",
]
