"""Metrics of fetal biometry and of regions in sight; overlap metrics are MONAI's."""

from fetal_monai.metrics.head_circumference import HeadCircumference, HeadCircumferenceDifference, HeadsMeasured
from fetal_monai.metrics.lower_is_better import lower_is_better
from fetal_monai.metrics.outline_distance import HausdorffDistanceMm, SurfaceDistanceMm
from fetal_monai.metrics.overlap import Overlap
from fetal_monai.metrics.region_classification import (
    PrecisionRecall,
    class_accuracy,
    class_confusion,
    mean_region_accuracy,
    precision_recall,
    winner_is_target,
)
from fetal_monai.metrics.region_overlap import region_overlap
from fetal_monai.metrics.region_statistics import EvaluatedFrame, RegionStatistics, region_statistics

__all__ = [
    "EvaluatedFrame",
    "HausdorffDistanceMm",
    "HeadCircumference",
    "HeadCircumferenceDifference",
    "HeadsMeasured",
    "Overlap",
    "PrecisionRecall",
    "RegionStatistics",
    "SurfaceDistanceMm",
    "class_accuracy",
    "class_confusion",
    "lower_is_better",
    "mean_region_accuracy",
    "precision_recall",
    "region_overlap",
    "region_statistics",
    "winner_is_target",
]
