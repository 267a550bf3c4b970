"""Check a file before it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fetal_monai.data.io.decoding import FrameError


def check_file(path: Path, suffix_of: Callable[[Path], str | None], expected: Sequence[str]) -> str:
    """Check that a file exists, is not empty and is of a kind that can be read.

    Args:
        path: The file.
        suffix_of: Returns the suffix that says how to read a file, or None for a file of another kind.
        expected: Those suffixes, for the message.

    Returns:
        The suffix.

    Raises:
        FileNotFoundError: The file does not exist.
        FrameError: The file is empty, or of another kind.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the path.")
    if path.stat().st_size == 0:
        raise FrameError(f"{path}: the file is empty (0 bytes); copy or export it again.")
    suffix = suffix_of(path)
    if suffix is None:
        raise FrameError(
            f"{path}: not a kind of file that holds frames; expected one of {', '.join(expected)}, "
            "or DICOM without a suffix."
        )
    return suffix
