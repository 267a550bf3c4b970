"""Read PNG, JPEG, BMP and TIFF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.data.decoding import decoding, not_one_frame

__all__ = ["read_picture"]

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")


def read_picture(path: Path) -> NDArray[np.float32]:
    """The gray levels (H, W) of a picture.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, or has several pages.
    """
    with decoding(path), Image.open(str(path), formats=_FORMATS) as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames != 1:
            raise not_one_frame(path, f"{frames} frames")
        if picture.mode in ("LA", "La"):
            gray = picture.getchannel("L")
        elif picture.mode in ("1", "L", "F") or picture.mode.startswith("I"):
            gray = picture.convert("L") if picture.mode == "1" else picture
        else:  # By way of RGB, so that alpha is dropped and a palette looked up
            gray = picture.convert("RGB").convert("L")
        picture.load()
        return np.array(gray, dtype=np.float32)
