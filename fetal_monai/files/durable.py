"""Files that outlast a power failure."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_durable(*paths: Path) -> None:
    """Wait until files, and their names in their folders, are on the disk.

    Args:
        paths: Complete files.

    Raises:
        OSError: The disk is full or fails.
    """
    for path in paths:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    for folder in {path.parent for path in paths}:
        with suppress(PermissionError):  # Windows opens no folders
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
