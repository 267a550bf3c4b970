"""The kinds of files that contain a frame, by suffix or content."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
METAIMAGE_SUFFIXES = (".mha", ".mhd")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
FRAME_SUFFIXES = PICTURE_SUFFIXES + METAIMAGE_SUFFIXES + NIFTI_SUFFIXES + DICOM_SUFFIXES


def frame_suffix(path: str | Path) -> str | None:
    """Return the suffix that determines how a file is read: one of FRAME_SUFFIXES, or None for a file of another kind.

    A file with no suffix or an unknown one is treated as ".dcm" if its content starts like a DICOM file ("DICM" after a
    preamble of 128 bytes): scanners export names such as "IM_0001" or "1.2.840.113".
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
