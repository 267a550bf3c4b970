"""The sector of a probe: its place on a frame and its polar image. Needs no PyTorch."""

from .box import Box, box_edges, boxes_from_edges
from .estimate import MINIMUM_CONFIDENCE, SectorEstimate, estimate_sector
from .fields import GEOMETRY_FIELDS, geometry_from_fields
from .polar_frame import PolarFrame, is_polar_metaimage
from .polar_grid import PolarGrid
from .record import geometry_from_record, geometry_record
from .sector import Sector
from .ultrasound_region import (
    UltrasoundRegion,
    common_spacing,
    read_ultrasound_regions,
    same_spacing,
    spacing_at,
    ultrasound_regions_from_text,
    ultrasound_regions_to_text,
)
from .warp import warp_to_frame, warp_to_polar

__all__ = [
    "GEOMETRY_FIELDS",
    "MINIMUM_CONFIDENCE",
    "Box",
    "PolarFrame",
    "PolarGrid",
    "Sector",
    "SectorEstimate",
    "UltrasoundRegion",
    "box_edges",
    "boxes_from_edges",
    "common_spacing",
    "estimate_sector",
    "geometry_from_fields",
    "geometry_from_record",
    "geometry_record",
    "is_polar_metaimage",
    "read_ultrasound_regions",
    "same_spacing",
    "spacing_at",
    "ultrasound_regions_from_text",
    "ultrasound_regions_to_text",
    "warp_to_frame",
    "warp_to_polar",
]
