"""Cine loops and folders of them, read frame by frame."""

from fetal_monai.data.io.cine.items import CineItems
from fetal_monai.data.io.cine.loop import Cine, CineError, CineFrame
from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.data.io.cine.stream import FrameStream
from fetal_monai.data.io.cine.suffix import CINE_SUFFIXES

__all__ = ["CINE_SUFFIXES", "Cine", "CineError", "CineFrame", "CineItems", "FrameStream", "open_cine"]
