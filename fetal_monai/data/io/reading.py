"""Read one ultrasound frame, whatever its file format, as gray pixels in (row, column) order with its pixel spacing."""

from __future__ import annotations

from pathlib import Path

from fetal_monai.data.io.decoding import FrameError, decoding, not_one_frame
from fetal_monai.data.io.dicom import read_dicom
from fetal_monai.data.io.file_check import check_file
from fetal_monai.data.io.frame import Frame, unusable_pixels, usable_spacing
from fetal_monai.data.io.metaimage import open_metaimage
from fetal_monai.data.io.nifti import read_nifti
from fetal_monai.data.io.picture import read_picture
from fetal_monai.data.io.suffix import (
    FRAME_SUFFIXES,
    METAIMAGE_SUFFIXES,
    NIFTI_SUFFIXES,
    PICTURE_SUFFIXES,
    frame_suffix,
)


def read_frame(path: str | Path) -> Frame:
    """Read one frame from PNG, JPEG, BMP, TIFF, MetaImage, NIfTI or DICOM.

    Colour is converted to luminance, an alpha channel is dropped, and 16-bit values are kept. Pixels keep their stored
    order; NIfTI's (i, j) are (column, row). Only EXIF's Orientation (JPEG, PNG, TIFF) is applied, as in viewers. The
    pixel spacing is returned only if the file states it:

    - PNG, JPEG, BMP, TIFF: never. Their dpi tag refers to print, not to the patient.
    - MetaImage: from ``ElementSpacing`` (or ``ElementSize``); if both are absent, it is unknown, although ITK would
      return 1 mm.
    - NIfTI: from ``pixdim`` in ``xyzt_units``. Without a unit it is read as mm, as in other NIfTI readers, except for
      1 x 1, which programs write if they do not know the spacing. Zero and non-finite numbers mean unknown.
    - DICOM: from the 2D tissue regions of ``SequenceOfUltrasoundRegions`` that are on the image, each with its own
      spacing, otherwise from ``PixelSpacing``. ``ImagerPixelSpacing`` refers to the detector of a radiograph and is not
      used.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: The file does not exist.
        FrameError: The file is damaged, of another kind, not one 2-D frame of finite values, or has more pixels than
            `check_pixel_count` allows.
    """
    path = Path(path)
    frame = _decoded(path, check_file(path, frame_suffix, FRAME_SUFFIXES))
    if problem := unusable_pixels(frame.pixels):
        raise FrameError(f"{path}: {problem}")
    return frame


def _decoded(path: Path, suffix: str) -> Frame:
    if suffix in PICTURE_SUFFIXES:
        return Frame(read_picture(path), None)
    if suffix in METAIMAGE_SUFFIXES:
        return _read_metaimage(path)
    if suffix in NIFTI_SUFFIXES:
        pixels, spacing = read_nifti(path)
        return Frame(pixels, spacing and usable_spacing(spacing))
    return read_dicom(path)


def _read_metaimage(path: Path) -> Frame:
    image = open_metaimage(path)
    if any(length != 1 for length in image.size[2:]):
        raise not_one_frame(path, f"size {' x '.join(map(str, image.size))}")
    with decoding(path):
        (pixels,) = image.frames()
    return Frame(pixels, image.spacing_mm and usable_spacing(image.spacing_mm))
