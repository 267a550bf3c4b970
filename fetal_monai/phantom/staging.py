"""A data set of phantoms on disk: whole or not at all."""

from __future__ import annotations

import csv
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@contextmanager
def staged_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder to write to; what is in it moves into `folder` only when the block ends well.

    Args:
        folder: Where the data set shall be. It may exist, but holds none of the names.
        names: Files and folders that the data set is made of; they appear in this order, folders first.

    Yields:
        A new folder within `folder`.

    Raises:
        FileExistsError: The folder holds a data set already.
        NotADirectoryError: `folder` is a file.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file. Name a folder to write the phantoms to.")
    for name in names:
        if (folder / name).exists():
            raise FileExistsError(f"{folder / name} exists already. Choose another folder, or delete this data set.")

    folder.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the move stays within one file system.
    staging = folder / f".{secrets.token_hex(4)}-phantoms"
    staging.mkdir()
    try:
        yield staging
        # The folders first: where the tables are, the frames they name are too. The last name tells that all is there.
        for made in sorted(staging.iterdir(), key=lambda path: (path.is_file(), names.index(path.name))):
            made.replace(folder / made.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write gray levels (H, W) as PNG."""
    # Level 3 takes a third of the default's time for a tenth more bytes.
    Image.fromarray(pixels).save(path, compress_level=3)


def write_table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a CSV table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
