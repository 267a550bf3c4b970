"""One process at a time in a folder, or with a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def folder_lock(folder: Path) -> Iterator[bool]:
    """Wait until no other process holds the lock of a folder, and hold it in the block.

    The operating system releases the lock of a process that is killed, and no lock file remains.

    Args:
        folder: An existing folder.

    Yields:
        True, or False if the system or the file system (such as NFS) cannot lock folders; then nothing is locked.
    """
    if fcntl is None:
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        locked = False
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            locked = True
        yield locked
    finally:
        os.close(descriptor)


def lock_file(file: TextIO) -> bool:
    """Lock an open file until it is closed or the process ends.

    Returns:
        Whether no other process holds the lock; always True where the system or the file system does not lock files.
    """
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # it does not lock files
            pass
    return True
