"""What packing a bundle gives, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class PackError(ValueError):
    """A bundle that cannot be packed; the message says why, and the mend."""


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file that is not packed but listed in `large_files.yml`, with where it is and its checksum."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackResult:
    """What was written.

    Attributes:
        path: the zip; `<path>.sha256` beside it is what `sha256sum -c` reads.
        sha256: of the zip.
        sizes: bytes by the file's name below the zip's one folder.
        large_files: what the bundle downloads.
        left_out: names of files in the bundle's folder that are not packed.
        unneeded_pins: what the metadata pins and nothing is known to import.
    """

    path: Path
    sha256: str
    sizes: Mapping[str, int]
    large_files: tuple[LargeFile, ...]
    left_out: tuple[str, ...]
    unneeded_pins: tuple[str, ...]
