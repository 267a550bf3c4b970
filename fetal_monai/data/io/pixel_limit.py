"""Limit on the size of a frame, checked against its header before anything is decoded."""

from __future__ import annotations

import os
from pathlib import Path

from fetal_monai.data.io.decoding import FrameError

__all__ = ["DEFAULT_MAX_PIXELS", "MAX_PIXELS_VARIABLE", "check_pixel_count", "max_decompressed_bytes", "max_pixels"]

DEFAULT_MAX_PIXELS = 64_000_000
MAX_PIXELS_VARIABLE = "FETAL_MONAI_MAX_PIXELS"

_LARGEST_PIXEL_BYTES = 16


def check_pixel_count(path: Path, height: int, width: int) -> None:
    """Check that a frame is small enough to be decoded.

    A file of 200 kB can contain a billion pixels. The limit is `DEFAULT_MAX_PIXELS`, or the value of the environment
    variable FETAL_MONAI_MAX_PIXELS.

    Args:
        path: The frame's file.
        height: Rows of one frame, from its header.
        width: Columns of one frame.

    Raises:
        FrameError: The frame has more pixels than allowed.
    """
    limit = max_pixels(path)
    if height * width > limit:
        raise FrameError(
            f"{path}: has {height} x {width} pixels; expected at most {limit:,}. Export the frame at a smaller size, "
            f"or set the environment variable {MAX_PIXELS_VARIABLE} to a higher limit."
        )


def max_decompressed_bytes(path: Path) -> int:
    """Return the largest decompressed size in bytes that a file without a stated size may have.

    Raises:
        FrameError: FETAL_MONAI_MAX_PIXELS is not a positive whole number.
    """
    return _LARGEST_PIXEL_BYTES * max_pixels(path)


def max_pixels(path: Path) -> int:
    """Return the largest number of pixels that a frame may have.

    Raises:
        FrameError: FETAL_MONAI_MAX_PIXELS is not a positive whole number; the message names `path`.
    """
    stated = os.environ.get(MAX_PIXELS_VARIABLE) or str(DEFAULT_MAX_PIXELS)
    if not (stated.isdecimal() and int(stated) > 0):
        raise FrameError(
            f"{path}: not read, because {MAX_PIXELS_VARIABLE} is {stated!r}; set it to a positive whole number, "
            f"such as {DEFAULT_MAX_PIXELS}."
        )
    return int(stated)
