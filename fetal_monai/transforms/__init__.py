"""Transforms behind the network: from the mask to the measurement, and to the files that show it."""

from .measure_head import MeasureHeadd
from .save_mask import SaveFrameMaskd
from .save_overlay import SaveHeadOverlayd

__all__ = ["MeasureHeadd", "SaveFrameMaskd", "SaveHeadOverlayd"]
