"""Read one ultrasound frame, whatever its file format, as gray pixels in (row, column) order with its pixel spacing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pydicom
from monai.config import PathLike
from monai.data import ImageReader
from monai.utils import MetaKeys
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, get_decoder, pixel_array
from pydicom.uid import MPEGTransferSyntaxes

from fetal_monai.data.io.compressed import check_deflated_dicom
from fetal_monai.data.io.decoding import FrameError, decoding, not_one_frame
from fetal_monai.data.io.luminance import BT_601, luminance
from fetal_monai.data.io.metaimage import open_metaimage
from fetal_monai.data.io.nifti import read_nifti
from fetal_monai.data.io.picture import read_picture
from fetal_monai.data.io.pixel_limit import check_pixel_count
from fetal_monai.geometry import UltrasoundRegion, common_spacing, read_ultrasound_regions

__all__ = ["FRAME_SUFFIXES", "Frame", "FrameError", "FrameReader", "frame_suffix", "read_frame"]

Spacing: TypeAlias = tuple[float, float]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
METAIMAGE_SUFFIXES = (".mha", ".mhd")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
FRAME_SUFFIXES = PICTURE_SUFFIXES + METAIMAGE_SUFFIXES + NIFTI_SUFFIXES + DICOM_SUFFIXES


@dataclass(frozen=True, slots=True)
class Frame:
    """One gray ultrasound frame.

    Attributes:
        pixels: float32 array (H, W), row 0 at the top, in the file's own grey levels.
        pixel_spacing_mm: (row, column) spacing in mm of all pixels, or None when the file does not state it or states
            several, see `ultrasound_regions`.
        ultrasound_regions: the regions that a DICOM file states: the spacing at a place is that of its region, see
            `fetal_monai.geometry.spacing_at`. Empty: the spacing is that of all pixels.
    """

    pixels: NDArray[np.float32]
    pixel_spacing_mm: Spacing | None
    ultrasound_regions: tuple[UltrasoundRegion, ...] = ()

    @property
    def stated_spacings_mm(self) -> list[Spacing]:
        """Every spacing that the file states for a part of this frame."""
        height, width = self.pixels.shape
        of_regions = [region.pixel_spacing_mm for region in self.ultrasound_regions if region.is_on((height, width))]
        return of_regions or ([] if self.pixel_spacing_mm is None else [self.pixel_spacing_mm])


def frame_suffix(path: str | Path) -> str | None:
    """The suffix that tells how to read a file: one of FRAME_SUFFIXES, or None for a file of another kind.

    A file with no suffix or an unknown one counts as ".dcm" when its content starts as DICOM does
    ("DICM" after a preamble of 128 bytes): scanners export names such as "IM_0001" or "1.2.840.113".
    """
    path = Path(path)
    name = path.name.lower()
    for suffix in FRAME_SUFFIXES:
        if name.endswith(suffix):
            return suffix
    if path.is_file():
        with suppress(OSError), path.open("rb") as file:
            if file.read(132)[128:] == b"DICM":
                return ".dcm"
    return None


def read_frame(path: str | Path) -> Frame:
    """Read one frame from PNG, JPEG, BMP, TIFF, MetaImage, NIfTI or DICOM.

    Colour becomes luminance, an alpha channel is dropped, 16-bit values are kept. Pixels are taken in the order
    they are stored in; NIfTI's (i, j) are (column, row). Only EXIF's Orientation (JPEG, PNG, TIFF) is applied, as
    viewers do. The pixel spacing is reported only where the file states it:

    - PNG, JPEG, BMP, TIFF: never. Their dpi tag is about paper, not about the patient.
    - MetaImage: from ``ElementSpacing`` (or ``ElementSize``); absent, it is unknown, although ITK then says 1 mm.
    - NIfTI: from ``pixdim`` in ``xyzt_units``. With no unit it is read as mm, as every NIfTI reader does, except
      for 1 x 1, which is what writers put there who know no spacing. Zero or non-finite is unknown.
    - DICOM: from the 2D tissue regions of ``SequenceOfUltrasoundRegions`` that lie on the image, each with its own
      spacing, else from ``PixelSpacing``. ``ImagerPixelSpacing`` is about the detector of a radiograph and is not
      used.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is no such file.
        FrameError: the file is damaged, of another kind, not one 2-D frame of finite values, or has more pixels than
            `check_pixel_count` allows.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the path.")
    if path.stat().st_size == 0:
        raise FrameError(f"{path}: the file is empty (0 bytes); copy or export it again.")
    suffix = frame_suffix(path)
    if suffix is None:
        raise FrameError(
            f"{path}: not a kind of file that holds a frame; expected one of {', '.join(FRAME_SUFFIXES)}, "
            "or DICOM without a suffix."
        )
    frame = _decoded(path, suffix)
    if problem := unusable_pixels(frame.pixels):
        raise FrameError(f"{path}: {problem}")
    return frame


class FrameReader(ImageReader):
    """Lets MONAI's ``LoadImaged`` load frames (and label maps) with `read_frame`, as (H, W) arrays.

    Use as ``LoadImaged(keys=["image", "label"], reader="fetal_monai.data.FrameReader")``. MONAI's own readers give
    (W, H). The meta data hold ``pixel_spacing_mm`` as (row, column), NaN when unknown, and an affine whose first
    axis is the row and whose second is the column, in mm (identity when the spacing is unknown).
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether every file is of a kind that `read_frame` reads."""
        return all(frame_suffix(str(name)) is not None for name in _as_names(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> list[Path]:
        """The paths to read.

        Nothing is opened here: when ``read`` fails, ``LoadImage`` tries MONAI's own readers, which would hand back
        a damaged or 3-D file, or one with its axes swapped, without a word. An error in `get_data` is final.
        """
        return [Path(name) for name in _as_names(data)]

    def get_data(self, img: Sequence[Path]) -> tuple[np.ndarray, dict[str, Any]]:
        """Pixels, float32 (H, W), and meta data of the one file that `read` was given.

        Raises:
            FrameError: more than one file, or as `read_frame`.
        """
        if len(img) != 1:
            raise FrameError(f"got {len(img)} files for one frame ({img[0]}, ...); give one path per item.")
        frame = read_frame(img[0])
        return frame.pixels, frame_meta(frame)


def frame_meta(frame: Frame) -> dict[str, Any]:
    """The meta data of a frame that MONAI's transforms go by, but for the file's name; see `FrameReader`."""
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


def unusable_pixels(pixels: NDArray[np.float32]) -> str | None:
    """What is wrong with the pixels of a decoded frame, and the mend; None when nothing is."""
    if pixels.size == 0:
        return f"the frame has no pixels (size {pixels.shape}); export it again."
    if not np.isfinite(pixels).all():
        count = int(np.count_nonzero(~np.isfinite(pixels)))
        return (
            f"{count} of {pixels.size} pixels are NaN or infinite; expected finite grey levels. "
            "Export the frame again or replace these pixels."
        )
    return None


def _as_names(data: Sequence[PathLike] | PathLike) -> list[str]:
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [str(name) for name in data]
    return [str(data)]


def _decoded(path: Path, suffix: str) -> Frame:
    if suffix in PICTURE_SUFFIXES:
        return Frame(read_picture(path), None)
    if suffix in METAIMAGE_SUFFIXES:
        return _read_metaimage(path)
    if suffix in NIFTI_SUFFIXES:
        pixels, spacing = read_nifti(path)
        return Frame(pixels, spacing and usable_spacing(spacing))
    return _read_dicom(path)


def _read_metaimage(path: Path) -> Frame:
    image = open_metaimage(path)
    if any(length != 1 for length in image.size[2:]):
        raise not_one_frame(path, f"size {' x '.join(map(str, image.size))}")
    with decoding(path):
        (pixels,) = image.frames()
    return Frame(pixels, image.spacing_mm and usable_spacing(image.spacing_mm))


def _read_dicom(path: Path) -> Frame:
    with decoding(path):
        check_deflated_dicom(path)
        dataset = pydicom.dcmread(path)
        if "PixelData" not in dataset:
            kind = dataset.get("Modality", "unknown modality")
            raise FrameError(f"{path}: a DICOM file without pixels ({kind}); export the frame itself.")
        check_pixel_count(path, dataset.Rows, dataset.Columns)
        frames = int(dataset.get("NumberOfFrames") or 1)
        if frames != 1:
            raise not_one_frame(path, f"{frames} frames")
        check_decoder(path, dataset)
        return Frame(dicom_gray(pixel_array(dataset), dataset), *dicom_spacing(dataset))


def check_decoder(path: Path, dataset: pydicom.Dataset) -> None:
    """Check that the pixels can be decoded at all.

    Raises:
        FrameError: they are compressed in a way that no installed library decodes, or as a video.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in MPEGTransferSyntaxes:
        raise FrameError(f"{path}: compressed as {syntax.name}, a video; export it uncompressed, or as AVI or MP4.")
    if syntax.is_compressed and syntax.is_encapsulated and not get_decoder(syntax).is_available:
        raise FrameError(
            f"{path}: compressed as {syntax.name}, which no installed library decodes; "
            "run `pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg`, or export it uncompressed."
        )


def dicom_gray(values: NDArray[Any], dataset: pydicom.Dataset) -> NDArray[np.float32]:
    """The grey levels of one frame, (H, W), from its values as pydicom decodes them (YBR comes back as RGB)."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    if values.ndim == 3:
        values = luminance(values[..., :3], BT_601)
    elif dataset.PhotometricInterpretation == "MONOCHROME1":
        # The lowest value is white: turn the stored range round.
        signed = bool(dataset.PixelRepresentation)
        values = (-1.0 if signed else 2.0**dataset.BitsStored - 1.0) - values
    return values.astype(np.float32)


def dicom_spacing(dataset: pydicom.Dataset) -> tuple[Spacing | None, tuple[UltrasoundRegion, ...]]:
    """The pixel spacing and the regions that a DICOM file states, as in `Frame`; see `read_frame`."""
    regions = read_ultrasound_regions(dataset)
    on_image = [region.pixel_spacing_mm for region in regions if region.is_on((dataset.Rows, dataset.Columns))]
    stated = dataset.get("PixelSpacing")
    if stated and not on_image:
        return usable_spacing((float(stated[0]), float(stated[1]))), ()
    return common_spacing(on_image), regions


def usable_spacing(spacing: Spacing) -> Spacing | None:
    """The spacing, or None when a number in it cannot be a length in mm."""
    return spacing if all(math.isfinite(value) and value > 0 for value in spacing) else None
