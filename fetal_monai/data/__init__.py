"""Reading frames, data lists, and writing masks."""

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES, BACKGROUND, LabelError, parse_labels
from fetal_monai.data.class_balance import ClassBalance, class_balance
from fetal_monai.data.classification_datalist import load_classification_datalist
from fetal_monai.data.datalist import fingerprint, load_datalist
from fetal_monai.data.frame_collection import FrameCollection, Rejected, collect_frames
from fetal_monai.data.frame_dataset import FrameDataset
from fetal_monai.data.frame_geometry import FrameGeometry, GeometryTable, find_frame_geometry
from fetal_monai.data.intensity import intensity_statistics
from fetal_monai.data.io.cine import CINE_SUFFIXES, Cine, CineError, CineFrame, CineItems, FrameStream, open_cine
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame
from fetal_monai.data.io.frame_reader import FrameReader
from fetal_monai.data.io.mask_file import mask_suffix, write_mask
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import FRAME_SUFFIXES
from fetal_monai.data.preparation.classification_dataset import write_classification_datalist
from fetal_monai.data.preparation.hc18 import prepare_hc18
from fetal_monai.data.preparation.header_label import read_header_labels
from fetal_monai.data.preparation.label_folder import inspect_label_folder

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
