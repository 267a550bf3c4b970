"""Metrics of fetal biometry; overlap metrics are MONAI's."""

from fetal_monai.metrics.head_circumference import HeadCircumference, HeadCircumferenceDifference, HeadsMeasured
from fetal_monai.metrics.outline_distance import HausdorffDistanceMm, SurfaceDistanceMm
from fetal_monai.metrics.overlap import Overlap

__all__ = [
    "HausdorffDistanceMm",
    "HeadCircumference",
    "HeadCircumferenceDifference",
    "HeadsMeasured",
    "Overlap",
    "SurfaceDistanceMm",
]
