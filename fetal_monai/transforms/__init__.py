"""Transforms before the network (random ones, polar images) and after it (measurements, files that show them)."""

from fetal_monai.transforms.frame_geometry import FrameGeometryd, geometry_origins
from fetal_monai.transforms.isolate_frame import IsolateFrame
from fetal_monai.transforms.localise_region import LocaliseRegiond
from fetal_monai.transforms.measure_head import MeasureHeadd
from fetal_monai.transforms.polar import PolarToSectord, SectorToPolard
from fetal_monai.transforms.rand_affine_2d import Rand2DAffined
from fetal_monai.transforms.reject_non_finite import RejectNonFinited
from fetal_monai.transforms.save_crop import SaveHeadCropd
from fetal_monai.transforms.save_mask import SaveFrameMaskd
from fetal_monai.transforms.save_overlay import SaveHeadOverlayd

__all__ = [
    "FrameGeometryd",
    "IsolateFrame",
    "LocaliseRegiond",
    "MeasureHeadd",
    "PolarToSectord",
    "Rand2DAffined",
    "RejectNonFinited",
    "SaveFrameMaskd",
    "SaveHeadCropd",
    "SaveHeadOverlayd",
    "SectorToPolard",
    "geometry_origins",
]
