"""From a frame's pixels in memory to the head's size in millimetres."""

from fetal_monai.measurement.head_measurer import HeadMeasurer
from fetal_monai.measurement.head_result import HeadResult

__all__ = ["HeadMeasurer", "HeadResult"]
