"""Cine loops: the frames of a recording, read one by one."""

from fetal_monai.data.cine.items import CineItems
from fetal_monai.data.cine.loop import Cine, CineError, CineFrame
from fetal_monai.data.cine.opening import CINE_SUFFIXES, open_cine

__all__ = ["CINE_SUFFIXES", "Cine", "CineError", "CineFrame", "CineItems", "open_cine"]
