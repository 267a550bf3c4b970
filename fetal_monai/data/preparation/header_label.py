"""Image-level labels from the header of an ITK image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fetal_monai.data.anatomical_class import LabelError, parse_labels
from fetal_monai.data.io.metaimage import read_metaimage_header
from fetal_monai.data.io.nifti import open_nifti
from fetal_monai.data.io.suffix import METAIMAGE_SUFFIXES, NIFTI_SUFFIXES, frame_suffix

LABELLED_SUFFIXES = METAIMAGE_SUFFIXES + NIFTI_SUFFIXES
"""Kinds of files whose header can contain a label."""

_KEYS = ("label", "labels")


def read_header_labels(path: str | Path) -> tuple[str, ...]:
    """Read the classes from the header of a MetaImage or NIfTI file.

    - MetaImage (.mha, .mhd): a line ``Label = Head`` or ``Labels = Placenta, Limbs``, the key in any case.
    - NIfTI (.nii, .nii.gz): the same text in ``descrip``. The format has no field for a label, and ITK drops metadata
      for which NIfTI has no field. It keeps ``ITK_FileNotes``, which is ``descrip``, up to 79 characters.

    Args:
        path: The file.

    Returns:
        The classes in the order of `ANATOMICAL_CLASSES`.

    Raises:
        FileNotFoundError: The file does not exist.
        FrameError: The file is damaged.
        LabelError: The file is of another kind, or states no label or an unknown one; the message names the file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the path.")
    suffix = frame_suffix(path)
    if suffix in METAIMAGE_SUFFIXES:
        entries: Mapping[str, str] = read_metaimage_header(path)
        place = "the header"
    elif suffix in NIFTI_SUFFIXES:
        key, _, value = _description(path).partition("=")
        entries = {key.strip(): value}
        place = "descrip"
    else:
        raise LabelError(f"{path}: only the headers of {', '.join(LABELLED_SUFFIXES)} hold labels; give a CSV table.")
    stated = [value for key, value in entries.items() if key.lower() in _KEYS]
    if not stated:
        raise LabelError(f"{path}: {place} has no 'Label' or 'Labels'; add it (Labels = head), or give a CSV table.")
    try:
        return parse_labels(",".join(stated))
    except LabelError as error:
        raise LabelError(f"{path}: {error}") from error


def _description(path: Path) -> str:
    return bytes(open_nifti(path).header["descrip"]).split(b"\0")[0].decode("latin-1")
