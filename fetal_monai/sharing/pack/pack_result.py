"""The result of packing a bundle, or the reason why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class PackError(ValueError):
    """A bundle that cannot be packed; the message says why and how to fix it."""


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file that is not packed but listed in `large_files.yml`.

    Attributes:
        name: Path within the bundle.
        url: Where it is downloaded from.
        sha256: Its checksum.
    """

    name: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackResult:
    """A packed bundle.

    Attributes:
        path: The zip. `<path>.sha256` is next to it, for `sha256sum -c`.
        sha256: Checksum of the zip.
        sizes: Size of each file in bytes, by its path below the zip's only folder.
        large_files: Files that the bundle downloads.
        left_out: Names of files in the bundle's folder that are not packed.
        unneeded_pins: Packages that the metadata pins and that are not known to be imported.
    """

    path: Path
    sha256: str
    sizes: Mapping[str, int]
    large_files: tuple[LargeFile, ...]
    left_out: tuple[str, ...]
    unneeded_pins: tuple[str, ...]
