"""Write a file whole or not at all."""

from __future__ import annotations

import glob
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fetal_monai.files.run_record import note_written

# Of a file's name: enough for its suffixes, and at most 160 of the 255 bytes that a name may have.
_KEPT_CHARACTERS = 40


@contextmanager
def atomic_path(path: str | Path, recorded: bool = True) -> Iterator[Path]:
    """Give a temporary name to write to; the file takes its real name only when the block ends well.

    Whoever reads `path` meanwhile, or after a crash, finds the earlier file or none, never half of one.

    Args:
        path: Where the file shall be. Its folder is created if it does not exist.
        recorded: Whether the file belongs to the results of the run in progress, see `fetal_monai.files.run_record`.

    Yields:
        A path in the same folder with the same suffixes (writers choose the format by them).

    Example:
        >>> with atomic_path("mask.nii.gz") as temporary:  # doctest: +SKIP
        ...     nibabel.save(image, temporary)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the replacement stays within one file system. Of a long name the end alone: with the
    # whole of it the temporary name could be too long where the file's own is not.
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name[-_KEPT_CHARACTERS:]}")
    try:
        yield temporary
        if recorded:
            note_written(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def unfinished_files(path: str | Path) -> list[Path]:
    """The temporary files of `atomic_path` for a file: of blocks that did not end yet, or whose process was killed."""
    path = Path(path)
    return sorted(path.parent.glob(f".{'[0-9a-f]' * 8}-{glob.escape(path.name[-_KEPT_CHARACTERS:])}"))
