"""Read PNG, JPEG, BMP and TIFF."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLEFORMAT, TiffImageFile

from fetal_monai.data.io.decoding import FrameError, decoding, not_one_frame
from fetal_monai.data.io.pixel_limit import check_pixel_count

__all__ = ["read_picture"]

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")


def read_picture(path: Path) -> NDArray[np.float32]:
    """Read the gray levels (H, W) of a picture as viewers show it, with EXIF's Orientation applied.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, or has several pages or too many pixels.
    """
    # Opened here: given a path, Pillow would memory-map an uncompressed TIFF with its size after the rotation.
    with decoding(path), path.open("rb") as file, warnings.catch_warnings():
        # Pillow warns above 89 million pixels, and the user may have set a higher limit.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            picture = Image.open(file, formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise FrameError(f"{path}: too many pixels to be decoded ({error}); export a smaller frame.") from error
        check_pixel_count(path, picture.height, picture.width)
        frames = getattr(picture, "n_frames", 1)
        if frames != 1:
            raise not_one_frame(path, f"{frames} frames")
        unsigned = _is_unsigned_32_bit(picture)
        ImageOps.exif_transpose(picture, in_place=True)
        pixels = np.asarray(_gray(picture))
        return np.array(pixels.view(np.uint32) if unsigned else pixels, dtype=np.float32)


def _gray(picture: Image.Image) -> Image.Image:
    if picture.mode in ("LA", "La"):
        return picture.getchannel("L")
    if picture.mode in ("L", "F") or picture.mode.startswith("I"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGB").convert("L")  # via RGB, which drops alpha and applies a palette


def _is_unsigned_32_bit(picture: Image.Image) -> bool:
    """Whether this is a TIFF with unsigned 32-bit values, which Pillow returns as signed ones."""
    if not isinstance(picture, TiffImageFile) or picture.mode != "I":
        return False
    # The tag's default is 1, unsigned.
    return picture.tag_v2.get(BITSPERSAMPLE) == (32,) and picture.tag_v2.get(SAMPLEFORMAT, (1,)) == (1,)
