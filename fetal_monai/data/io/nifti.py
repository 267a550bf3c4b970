"""Read NIfTI (.nii, .nii.gz)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.openers import ImageOpener
from numpy.typing import NDArray

from fetal_monai.data.io.compressed import check_gzip
from fetal_monai.data.io.decoding import FrameError, decoding, not_one_frame
from fetal_monai.data.io.luminance import BT_601, luminance
from fetal_monai.data.io.pixel_limit import check_pixel_count

__all__ = ["open_nifti", "read_nifti"]

_TO_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}


def open_nifti(path: Path) -> Any:
    """Open a NIfTI file with nibabel: its header is read, its pixels are not.

    A compressed file is read to its end first. That verifies its checksum, and bounds the extensions of the header.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, or too long once decompressed.
    """
    with decoding(path):
        if path.name.lower().endswith(".gz"):
            check_gzip(path)
        return nib.load(path)


def read_nifti(path: Path) -> tuple[NDArray[np.float32], tuple[float, float] | None]:
    """The gray levels (H, W), of which NIfTI's i is the column and j the row, and the (row, column) spacing in mm.

    The spacing is None when it is 1 x 1 without a unit, which is what writers put there who know none; zero and
    non-finite numbers are given as they are.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, or not one 2-D frame of real values and of few enough pixels.
    """
    image = open_nifti(path)
    with decoding(path):
        if len(image.shape) < 2 or any(length != 1 for length in image.shape[2:]):
            raise not_one_frame(path, f"size {' x '.join(map(str, image.shape))}")
        width, height = image.shape[:2]
        check_pixel_count(path, height, width)
        values = np.asanyarray(image.dataobj).reshape(width, height).T
        if np.iscomplexobj(values):
            raise FrameError(f"{path}: complex values; expected grey levels. Store the magnitude.")
        if values.dtype.names:
            values = luminance(np.stack([values[name] for name in ("R", "G", "B")], axis=-1), BT_601)
        # A copy in any case: nibabel's array may be a read-only map of the file.
        return np.array(values, dtype=np.float32, order="C"), _spacing_mm(path, type(image.header))


def _spacing_mm(path: Path, header_type: Any) -> tuple[float, float] | None:
    with ImageOpener(path) as file:
        # Unchecked, as stored: nibabel's own check turns a pixdim of zero into 1.
        header = header_type.from_fileobj(file, check=False)
    column, row = (abs(float(length)) for length in header["pixdim"][1:3])
    unit = header.get_xyzt_units()[0]
    if unit == "unknown" and row == column == 1.0:
        return None
    return row * _TO_MM[unit], column * _TO_MM[unit]
