"""Write a mask in the format and geometry of its frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from fetal_monai.data.io.metaimage import read_metaimage_header
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import DICOM_SUFFIXES, METAIMAGE_SUFFIXES, NIFTI_SUFFIXES, frame_suffix
from fetal_monai.files import atomic_path

__all__ = ["mask_suffix", "write_mask"]

# Attributes that describe the grey levels of the original and would be wrong or harmful in a mask.
GREY_LEVEL_KEYWORDS = (
    "IconImageSequence",
    "LargestImagePixelValue",
    "ModalityLUTSequence",
    "PixelPaddingValue",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "SmallestImagePixelValue",
    "VOILUTFunction",
    "VOILUTSequence",
    "WindowCenter",
    "WindowCenterWidthExplanation",
    "WindowWidth",
)
# Entries of a MetaImage header that describe the position of its pixels, in the order in which ITK writes them.
METAIMAGE_GEOMETRY = (
    "NDims",
    "TransformMatrix",
    "Rotation",
    "Orientation",
    "Offset",
    "Position",
    "Origin",
    "CenterOfRotation",
    "AnatomicalOrientation",
    "ElementSpacing",
    "DimSize",
    "ElementSize",
)
PALETTE_GROUP_0028 = range(0x1101, 0x1224)  # descriptors and data of the colour tables
OVERLAY_GROUPS = range(0x6000, 0x6100)
# Zeros that pad the file after the pixels are read as an empty element (0000,0000), which is not allowed in a file.
PADDING_GROUP = 0x0000


def mask_suffix(like: str | Path) -> str:
    """Return the suffix of the mask of the frame `like`: that of the frame, except ``.png`` for JPEG.

    JPEG is lossy: a mask would get values between 0 and 255. The mask of a DICOM file without a known suffix has no
    suffix either.
    """
    name = Path(like).name.lower()
    suffix = frame_suffix(like) or ""
    if suffix in (".jpg", ".jpeg"):
        return ".png"
    return suffix if name.endswith(suffix) else ""


def write_mask(mask: NDArray[Any], like: str | Path, path: str | Path) -> None:
    """Write a mask, 0 and 255 in 8 bits, in the format and geometry of its frame.

    - PNG, BMP, TIFF: the same size. JPEG: PNG of the same size.
    - MetaImage: size, spacing, origin and direction (no spacing if the frame states none).
    - NIfTI: the header with its affines.
    - DICOM: a derived image in a new series of the same study, explicit little endian, MONOCHROME2; patient, ultrasound
      regions and spacing are kept.

    The file is written completely or not at all.

    Args:
        mask: (H, W), bool or numbers; all values except 0 are foreground.
        like: The frame's file.
        path: File to write, with the suffix from `mask_suffix`.

    Raises:
        ValueError: The mask differs in size from the frame, or `path` has an unexpected suffix.
        FrameError: `like` cannot be read.
    """
    like, path = Path(like), Path(path)
    foreground = np.where(np.asarray(mask) != 0, np.uint8(255), np.uint8(0))
    if foreground.shape != (expected := read_frame(like).pixels.shape):
        raise ValueError(f"{like}: the mask has shape {foreground.shape}, the frame {expected}; resize the mask first.")
    suffix = mask_suffix(like)
    if not path.name.lower().endswith(suffix):
        raise ValueError(f"{path}: the mask of {like.name} must be a {suffix} file; see mask_suffix.")

    kind = frame_suffix(like)
    if kind in METAIMAGE_SUFFIXES:
        _write_metaimage(foreground, like, path)
        return
    with atomic_path(path) as temporary:
        if kind in NIFTI_SUFFIXES:
            _write_nifti(foreground, like, temporary)
        elif kind in DICOM_SUFFIXES:
            _write_dicom(foreground, like, temporary)
        else:
            Image.fromarray(foreground).save(temporary)


def _write_metaimage(mask: NDArray[np.uint8], like: Path, path: Path) -> None:
    stated = read_metaimage_header(like)
    geometry = {key: stated[key] for key in METAIMAGE_GEOMETRY if key in stated}
    pixels_file = path.with_suffix(".raw")
    if path.suffix.lower() == ".mha" or not _can_be_named(pixels_file.name):
        with atomic_path(path) as temporary:
            temporary.write_bytes(_metaimage_header(geometry, "LOCAL") + mask.tobytes())
        return
    with atomic_path(path) as header, atomic_path(pixels_file) as pixels:  # the header is moved last
        pixels.write_bytes(mask.tobytes())
        header.write_bytes(_metaimage_header(geometry, pixels_file.name))


def _metaimage_header(geometry: Mapping[str, str], data_file: str) -> bytes:
    entries = {
        "ObjectType": "Image",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        **geometry,
        "ElementType": "MET_UCHAR",
        "ElementDataFile": data_file,
    }
    return "".join(f"{key} = {value}\n" for key, value in entries.items()).encode()


def _can_be_named(file_name: str) -> bool:
    """Whether a header can name this data file: it must fit on one line, and % is a placeholder for a number."""
    return file_name.isprintable() and "%" not in file_name and file_name == file_name.strip()


def _write_nifti(mask: NDArray[np.uint8], like: Path, path: Path) -> None:
    frame: Any = nib.load(like)
    header = frame.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 255
    nib.save(type(frame)(mask.T.reshape(frame.shape), frame.affine, header), path)


def _write_dicom(mask: NDArray[np.uint8], like: Path, path: Path) -> None:
    dataset = pydicom.dcmread(like)
    # Some exports lack identifiers that the standard requires; their heads are measured nevertheless.
    dataset.SOPClassUID = dataset.get("SOPClassUID", UltrasoundImageStorage)
    if "SOPInstanceUID" in dataset:
        source = pydicom.Dataset()
        source.ReferencedSOPClassUID = dataset.SOPClassUID
        source.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SourceImageSequence = Sequence([source])
    for keyword in GREY_LEVEL_KEYWORDS:
        if keyword in dataset:
            delattr(dataset, keyword)
    for tag in list(dataset.keys()):
        palette = tag.group == 0x0028 and tag.element in PALETTE_GROUP_0028
        if palette or tag.group in OVERLAY_GROUPS or tag.group == PADDING_GROUP:
            del dataset[tag]

    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.set_pixel_data(mask, "MONOCHROME2", bits_stored=8)  # sets a new SOPInstanceUID
    dataset.ImageType = ["DERIVED", "SECONDARY", *dataset.get("ImageType", [])[2:]]
    dataset.DerivationDescription = "Mask of the fetal head, 0 background, 255 head"
    # The same UID for all masks of a series, so that they form one series too.
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[dataset.get("SeriesInstanceUID", ""), "fetal head mask"])
    dataset.SeriesDescription = "Fetal head mask"
    dataset.BurnedInAnnotation = "NO"
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)  # save_as would refuse a big-endian original
