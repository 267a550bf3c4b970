"""Paths of the files that are written for a frame."""

from __future__ import annotations

import os
from pathlib import Path

from fetal_monai.data.io.cine.suffix import CINE_SUFFIXES, cine_suffix

_NO_SUFFIX = "dicom"  # replaces the suffix of a DICOM file that has none
_SUFFIX_WORDS = tuple(f"_{word}" for word in (*(suffix.replace(".", "") for suffix in CINE_SUFFIXES), _NO_SUFFIX))
_LONGEST_NAME_BYTES = 255  # of the usual file systems


def output_path(
    frame: str | Path, source_dir: str | Path | None, output_dir: str | Path, ending: str, suffix: str
) -> Path:
    """The path of a frame's mask or overlay: the source's folders are recreated below `output_dir`.

    ``thorax/007.png`` gives ``thorax/007_mask.png``. Where the new file is of another format than the frame, the
    frame's suffix becomes part of the name (``007_dcm_overlay.png``), since ``007.png`` may be next to ``007.dcm``; the
    same holds for cine loops (``loop_avi_overlay.mp4``). It also does if the frame's own name ends like that:
    ``scan_jpg.png`` gives ``scan_jpg_png_mask.png``, since ``scan_jpg_mask.png`` belongs to ``scan.jpg``. No two
    frames share a path, except those that `fetal_monai.data.unusable_names` finds.

    Args:
        frame: The frame's file.
        source_dir: The folder whose structure is mirrored; None, or a frame outside it: no folders.
        output_dir: Folder to write to.
        ending: What is added to the name, such as ``_mask``.
        suffix: Suffix of the new file, with its dot; empty for none.

    Raises:
        ValueError: The name would be longer than file systems allow.
    """
    frame = Path(frame)
    inside = source_dir is not None and frame.is_relative_to(source_dir)
    folder = frame.relative_to(source_dir).parent if inside and source_dir is not None else Path()
    own_suffix = cine_suffix(frame) or ""
    if not frame.name.lower().endswith(own_suffix):
        own_suffix = ""  # a DICOM file without one
    stem = frame.name[: len(frame.name) - len(own_suffix)]
    if suffix != own_suffix or stem.lower().endswith(_SUFFIX_WORDS):
        stem += f"_{own_suffix.replace('.', '') or _NO_SUFFIX}"
    name = f"{stem}{ending}{suffix}"
    if (excess := len(os.fsencode(name)) - _LONGEST_NAME_BYTES) > 0:
        raise ValueError(
            f"{frame}: the file name {name} would have {excess} bytes more than the {_LONGEST_NAME_BYTES} that file "
            "systems allow; give the frame a shorter name."
        )
    return Path(output_dir) / folder / name
