"""Frames of patients as a training set that does not name them."""

from fetal_monai.deidentification.export import FrameExport
from fetal_monai.deidentification.key_table import KeyTable
from fetal_monai.deidentification.measured_frames import MeasuredFrames

__all__ = ["FrameExport", "KeyTable", "MeasuredFrames"]
