"""Write a file completely or not at all."""

from __future__ import annotations

import glob
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fetal_monai.files.run_record import note_written

# The end of a file's name that is kept: enough for its suffixes, and at most 160 of the 255 bytes allowed.
_KEPT_CHARACTERS = 40


@contextmanager
def atomic_path(path: str | Path, recorded: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; the file gets its final name only if the block succeeds.

    Until then, and after a crash, `path` is the earlier file or does not exist; it is never incomplete.

    Args:
        path: Final path of the file. Its folder is created if it does not exist.
        recorded: Whether the file is a result of the run in progress, see `fetal_monai.files.run_record`.

    Yields:
        A path in the same folder with the same suffixes, which determine the format for many writers.

    Example:
        >>> with atomic_path("mask.nii.gz") as temporary:  # doctest: +SKIP
        ...     nibabel.save(image, temporary)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the replacement stays within one file system. Only the end of a long name is kept:
    # otherwise the temporary name could exceed the limit although the file's own name does not.
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name[-_KEPT_CHARACTERS:]}")
    try:
        yield temporary
        if recorded:
            note_written(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def unfinished_files(path: str | Path) -> list[Path]:
    """Temporary files of `atomic_path` for a file, from blocks that are still running or whose process was killed."""
    path = Path(path)
    return sorted(path.parent.glob(f".{'[0-9a-f]' * 8}-{glob.escape(path.name[-_KEPT_CHARACTERS:])}"))
