"""Read DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, get_decoder, pixel_array
from pydicom.uid import UID, MPEGTransferSyntaxes

from fetal_monai.data.io.compressed import check_deflated_dicom
from fetal_monai.data.io.decoding import FrameError, decoding, not_one_frame
from fetal_monai.data.io.dicom_study import read_study
from fetal_monai.data.io.frame import Frame, Spacing, usable_spacing
from fetal_monai.data.io.luminance import BT_601, luminance
from fetal_monai.data.io.pixel_limit import check_pixel_count
from fetal_monai.geometry import UltrasoundRegion, common_spacing, read_ultrasound_regions


def read_dicom(path: Path) -> Frame:
    """Read a DICOM file of one frame.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, does not contain exactly one frame, has too many pixels, or is compressed in a
            way that cannot be decoded.
    """
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
        return Frame(dicom_gray(pixel_array(dataset), dataset), *dicom_spacing(dataset), read_study(dataset))


def check_decoder(path: Path, dataset: pydicom.Dataset) -> None:
    """Check that the pixels can be decoded.

    Raises:
        FrameError: They are compressed as a video, or in a way that no installed library can decode.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in MPEGTransferSyntaxes:
        raise FrameError(f"{path}: compressed as {syntax.name}, a video; export it uncompressed, or as AVI or MP4.")
    if not is_decodable(syntax):
        raise FrameError(
            f"{path}: compressed as {syntax.name}, which no installed library decodes; "
            "run `pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg`, or export it uncompressed."
        )


def is_decodable(syntax: UID) -> bool:
    """Tell whether pixels in a transfer syntax can be decoded, by pydicom itself or an installed library."""
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def dicom_gray(values: NDArray[Any], dataset: pydicom.Dataset) -> NDArray[np.float32]:
    """Convert the values of one frame, as decoded by pydicom (which converts YBR to RGB), to gray levels (H, W)."""
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    if values.ndim == 3:
        values = luminance(values[..., :3], BT_601)
    elif dataset.PhotometricInterpretation == "MONOCHROME1":
        # The lowest value is white: invert the stored range.
        signed = bool(dataset.PixelRepresentation)
        values = (-1.0 if signed else 2.0**dataset.BitsStored - 1.0) - values
    return values.astype(np.float32)


def dicom_spacing(dataset: pydicom.Dataset) -> tuple[Spacing | None, tuple[UltrasoundRegion, ...]]:
    """Return the pixel spacing and the regions that a DICOM file states, as in `Frame`; see `read_frame`."""
    regions = read_ultrasound_regions(dataset)
    on_image = [region.pixel_spacing_mm for region in regions if region.is_on((dataset.Rows, dataset.Columns))]
    stated = dataset.get("PixelSpacing")
    if stated and not on_image:
        return usable_spacing((float(stated[0]), float(stated[1]))), ()
    return common_spacing(on_image), regions
