"""Cine loops and folders of them, read frame by frame."""

from .items import CineItems
from .loop import Cine, CineError, CineFrame
from .opening import open_cine
from .stream import FrameStream
from .suffix import CINE_SUFFIXES

__all__ = ["CINE_SUFFIXES", "Cine", "CineError", "CineFrame", "CineItems", "FrameStream", "open_cine"]
