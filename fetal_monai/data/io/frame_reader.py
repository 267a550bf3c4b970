"""A reader of frames for MONAI's transforms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.utils import MetaKeys

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import frame_suffix


class FrameReader(ImageReader):
    """Lets MONAI's ``LoadImaged`` load frames (and label maps) with `read_frame`, as (H, W) arrays.

    Use as ``LoadImaged(keys=["image", "label"], reader="fetal_monai.data.FrameReader")``. MONAI's own readers return
    (W, H). The metadata contain ``pixel_spacing_mm`` as (row, column), NaN if unknown, and an affine whose first axis
    is the row and whose second axis is the column, in mm (the identity if the spacing is unknown).
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether `read_frame` reads all of these kinds of file."""
        return all(frame_suffix(str(name)) is not None for name in _as_names(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> list[Path]:
        """Return the paths to read.

        No file is opened here: if ``read`` fails, ``LoadImage`` tries MONAI's own readers, which accept damaged and 3-D
        files and swap the axes. An error in `get_data` is final.
        """
        return [Path(name) for name in _as_names(data)]

    def get_data(self, img: Sequence[Path]) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the pixels, float32 (H, W), and the metadata of a single file.

        Raises:
            FrameError: There is more than one file, or `read_frame` cannot read it.
        """
        if len(img) != 1:
            raise FrameError(f"got {len(img)} files for one frame ({img[0]}, ...); give one path per item.")
        frame = read_frame(img[0])
        return frame.pixels, frame_meta(frame)


def frame_meta(frame: Frame) -> dict[str, Any]:
    """Return the metadata of a frame for MONAI's transforms, without the file name; see `FrameReader`."""
    spacing = frame.pixel_spacing_mm
    affine = np.diag([*(spacing or (1.0, 1.0)), 1.0, 1.0])
    meta = {
        MetaKeys.AFFINE: affine,
        MetaKeys.ORIGINAL_AFFINE: affine.copy(),
        MetaKeys.SPATIAL_SHAPE: np.array(frame.pixels.shape),
        MetaKeys.ORIGINAL_CHANNEL_DIM: "no_channel",
        "pixel_spacing_mm": np.array(spacing or (np.nan, np.nan)),
    }
    return {str(key): value for key, value in meta.items()}


def _as_names(data: Sequence[PathLike] | PathLike) -> list[str]:
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [str(name) for name in data]
    return [str(data)]
