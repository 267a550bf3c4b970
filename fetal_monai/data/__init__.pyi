"""Frames on disk: reading them, lists of them, and the masks written beside them."""

from .anatomical_class import ANATOMICAL_CLASSES, BACKGROUND, LabelError, parse_labels
from .classification_datalist import load_classification_datalist
from .datalist import fingerprint, load_datalist
from .frame_collection import FrameCollection, collect_frames
from .frame_dataset import FrameDataset
from .frame_geometry import FrameGeometry, GeometryTable, find_frame_geometry
from .intensity import intensity_statistics
from .io.cine import CINE_SUFFIXES, Cine, CineError, CineFrame, CineItems, FrameStream, open_cine
from .io.decoding import FrameError
from .io.frame import Frame
from .io.frame_reader import FrameReader
from .io.mask_file import mask_suffix, write_mask
from .io.reading import read_frame
from .io.suffix import FRAME_SUFFIXES
from .label_balance import ClassBalance, class_balance
from .preparation.classification_dataset import write_classification_datalist
from .preparation.hc18 import prepare_hc18
from .preparation.header_label import read_header_labels
from .preparation.label_folder import inspect_label_folder
from .rejected import Rejected

__all__ = [
    "ANATOMICAL_CLASSES",
    "BACKGROUND",
    "CINE_SUFFIXES",
    "FRAME_SUFFIXES",
    "Cine",
    "CineError",
    "CineFrame",
    "CineItems",
    "ClassBalance",
    "Frame",
    "FrameCollection",
    "FrameDataset",
    "FrameError",
    "FrameGeometry",
    "FrameReader",
    "FrameStream",
    "GeometryTable",
    "LabelError",
    "Rejected",
    "class_balance",
    "collect_frames",
    "find_frame_geometry",
    "fingerprint",
    "inspect_label_folder",
    "intensity_statistics",
    "load_classification_datalist",
    "load_datalist",
    "mask_suffix",
    "open_cine",
    "parse_labels",
    "prepare_hc18",
    "read_frame",
    "read_header_labels",
    "write_classification_datalist",
    "write_mask",
]
