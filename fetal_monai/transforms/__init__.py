"""Transforms behind the network: from the mask to the measurement, and to the files that show it."""

from fetal_monai.transforms.measure_head import MeasureHeadd
from fetal_monai.transforms.save_crop import SaveHeadCropd
from fetal_monai.transforms.save_mask import SaveFrameMaskd
from fetal_monai.transforms.save_overlay import SaveHeadOverlayd

__all__ = ["MeasureHeadd", "SaveFrameMaskd", "SaveHeadCropd", "SaveHeadOverlayd"]
