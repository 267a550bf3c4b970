"""Metrics of fetal biometry; overlap metrics are MONAI's."""

from .hausdorff import HausdorffDistanceMm
from .head_circumference import HeadCircumferenceDifference, HeadsMeasured
from .overlap import Overlap

__all__ = ["HausdorffDistanceMm", "HeadCircumferenceDifference", "HeadsMeasured", "Overlap"]
