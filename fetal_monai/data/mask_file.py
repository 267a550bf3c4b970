"""Write a mask as a file of the frame's own format and geometry."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import itk
import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from fetal_monai.data.atomic import atomic_path
from fetal_monai.data.frame import (
    DICOM_SUFFIXES,
    METAIMAGE_SUFFIXES,
    NIFTI_SUFFIXES,
    frame_suffix,
    read_frame,
    read_metaimage_header,
    states_spacing,
)

__all__ = ["mask_suffix", "write_mask"]

# What describes the grey levels of the original and would be wrong, or harm, in a mask.
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
PALETTE_GROUP_0028 = range(0x1101, 0x1224)  # the colour tables' descriptors and data
OVERLAY_GROUPS = range(0x6000, 0x6100)
# Zeros behind the pixels, to a multiple of a block, are read as an empty element (0000,0000), which no file may hold.
PADDING_GROUP = 0x0000


def mask_suffix(like: str | Path) -> str:
    """The suffix of the mask that belongs to the frame `like`: its own, except ``.png`` for JPEG.

    JPEG is lossy: a mask would come back with values between 0 and 255. A DICOM file without a known suffix has a
    mask without one.
    """
    name = Path(like).name.lower()
    suffix = frame_suffix(like) or ""
    if suffix in (".jpg", ".jpeg"):
        return ".png"
    return suffix if name.endswith(suffix) else ""


def write_mask(mask: NDArray[Any], like: str | Path, path: str | Path) -> None:
    """Write a mask, 0 and 255 in 8 bits, in the format and geometry of the frame it belongs to.

    - PNG, BMP, TIFF: the same size. JPEG: PNG of the same size.
    - MetaImage: size, spacing, origin and direction (a spacing that the frame does not state stays unstated).
    - NIfTI: the header with its affines.
    - DICOM: a derived image in a new series of the same study; patient, ultrasound regions and spacing are kept,
      explicit little endian, MONOCHROME2.

    The file appears whole or not at all.

    Args:
        mask: (H, W), bool or numbers of which all but zero are foreground.
        like: the frame's file.
        path: where to write, with the suffix that `mask_suffix` gives.

    Raises:
        ValueError: the mask has another size than the frame, or `path` another suffix than expected.
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
    frame = itk.imread(str(like), pixel_type=itk.F, imageio=itk.MetaImageIO.New())
    image = itk.image_from_array(mask.reshape(tuple(itk.size(frame))[::-1]))
    image.CopyInformation(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The header of an .mhd names its data file, so both are written under their own names, one folder below.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        header = Path(folder, path.name)
        try:
            itk.imwrite(image, str(header))
        except RuntimeError as error:
            # ITK does not say why it cannot write; what it has written so far takes the last room of a full disk.
            if shutil.disk_usage(folder).free < mask.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
            raise
        if not states_spacing(read_metaimage_header(like)):
            _remove_spacing(header)
        data_files = [file for file in Path(folder).iterdir() if file != header]
        for file in [*data_files, header]:
            file.replace(path.parent / file.name)


def _remove_spacing(file: Path) -> None:
    """Take back the 1 x 1 mm that ITK writes for an unknown spacing."""
    header, data_file, pixels = file.read_bytes().partition(b"ElementDataFile")
    lines = [line for line in header.splitlines(keepends=True) if not line.startswith(b"ElementSpacing")]
    file.write_bytes(b"".join(lines) + data_file + pixels)


def _write_nifti(mask: NDArray[np.uint8], like: Path, path: Path) -> None:
    frame: Any = nib.load(like)
    header = frame.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 255
    nib.save(type(frame)(mask.T.reshape(frame.shape), frame.affine, header), path)


def _write_dicom(mask: NDArray[np.uint8], like: Path, path: Path) -> None:
    dataset = pydicom.dcmread(like)
    # Some exports lack the identifiers that the standard demands: their heads are measured all the same.
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
    # The same for every mask of a series, so that they form one series too.
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[dataset.get("SeriesInstanceUID", ""), "fetal head mask"])
    dataset.SeriesDescription = "Fetal head mask"
    dataset.BurnedInAnnotation = "NO"
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)  # save_as would refuse a big-endian original
