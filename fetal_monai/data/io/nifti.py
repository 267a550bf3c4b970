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
    """Open a NIfTI file with nibabel, which reads the header but not yet the pixels.

    A compressed file is first read to the end, which verifies its checksum and limits the size of the header
    extensions.

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
    """Read the gray levels (H, W), where NIfTI's i is the column and j the row, and the (row, column) spacing in mm.

    The spacing is None if it is 1 x 1 without a unit, which programs write if they do not know the spacing; zero and
    non-finite numbers are returned unchanged.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, is not one 2-D frame of real values, or has too many pixels.
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
        # Always a copy: nibabel's array may be a read-only map of the file.
        return np.array(values, dtype=np.float32, order="C"), _spacing_mm(path, type(image.header))


def _spacing_mm(path: Path, header_type: Any) -> tuple[float, float] | None:
    with ImageOpener(path) as file:
        # Unchecked: nibabel's own check would change a pixdim of zero to 1.
        header = header_type.from_fileobj(file, check=False)
    column, row = (abs(float(length)) for length in header["pixdim"][1:3])
    unit = header.get_xyzt_units()[0]
    if unit == "unknown" and row == column == 1.0:
        return None
    return row * _TO_MM[unit], column * _TO_MM[unit]
