"""The frames in a folder."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from fetal_monai.data.io.suffix import FRAME_SUFFIXES, frame_suffix

logger = logging.getLogger(__name__)

# HC18's outlines, and the images that this project writes, which may be in the same folder as frames.
COMPANION_ENDINGS = ("_annotation", "_mask", "_overlay")


def frame_files(
    folder: Path,
    suffix_of: Callable[[Path], str | None] = frame_suffix,
    expected: Sequence[str] = FRAME_SUFFIXES,
) -> list[Path]:
    """List the files with frames in a folder and its subfolders, in natural order.

    Hidden files, annotations, masks, overlays and files of other kinds are skipped; the numbers are logged.

    Args:
        folder: Folder to search.
        suffix_of: Returns the suffix by which a file is read, or None for a file of another kind.
        expected: Those suffixes, for the message.

    Raises:
        ValueError: The folder contains no frames.
    """
    files, companions, others = [], 0, 0
    for parent, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            file = Path(parent, name)
            suffix = suffix_of(file)
            if suffix is None or name == "DICOMDIR":  # the index of a DICOM disc
                others += 1
            elif is_companion(file, suffix):
                companions += 1
            else:
                files.append(file)
    if companions or others:
        logger.info(
            "%s: skipped %d annotations, masks or overlays and %d files of other kinds", folder, companions, others
        )
    if not files:
        raise ValueError(
            f"{folder}: no frames in this folder; expected files with one of {', '.join(expected)}, "
            "or DICOM files without a suffix."
        )
    return sorted(files, key=lambda file: (natural_key(file), file))


def is_companion(path: Path, suffix: str) -> bool:
    """Whether a file is an annotation, a mask or an overlay of a frame, by its name.

    Args:
        path: The file.
        suffix: Its suffix in lower case, as `frame_suffix` gives it.
    """
    return path.name.lower().removesuffix(suffix).endswith(COMPANION_ENDINGS)


def natural_key(path: str | Path) -> list[list[tuple[int, str]]]:
    """Sort key that puts ``2_HC.png`` before ``10_HC.png``, folder by folder."""
    return [
        [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in re.split(r"(\d+)", part)]
        for part in Path(path).parts
    ]
