"""Frames on disk: reading them, lists of them, and the masks written beside them."""

from fetal_monai.data.atomic import atomic_path
from fetal_monai.data.cine import CINE_SUFFIXES, Cine, CineError, CineFrame, CineItems, open_cine
from fetal_monai.data.datalist import fingerprint, load_datalist
from fetal_monai.data.frame import FRAME_SUFFIXES, Frame, FrameError, FrameReader, read_frame
from fetal_monai.data.frame_geometry import FrameGeometry, GeometryTable, find_frame_geometry
from fetal_monai.data.hc18 import prepare_hc18
from fetal_monai.data.intake import Intake, Rejected, take_in
from fetal_monai.data.intensity import intensity_statistics
from fetal_monai.data.mask_file import mask_suffix, write_mask

__all__ = [
    "CINE_SUFFIXES",
    "FRAME_SUFFIXES",
    "Cine",
    "CineError",
    "CineFrame",
    "CineItems",
    "Frame",
    "FrameError",
    "FrameGeometry",
    "FrameReader",
    "GeometryTable",
    "Intake",
    "Rejected",
    "atomic_path",
    "find_frame_geometry",
    "fingerprint",
    "intensity_statistics",
    "load_datalist",
    "mask_suffix",
    "open_cine",
    "prepare_hc18",
    "read_frame",
    "take_in",
    "write_mask",
]
