"""A file that cannot be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fetal_monai.files.printable_text import printable_text


@dataclass(frozen=True)
class Rejected:
    """A file, or a row of the table, that cannot be measured.

    Attributes:
        file: The file; for a row without an image, the path where the image was expected.
        reason: What is wrong and how to fix it, in one or two sentences.
        frame: The frame's place in a loop, from 0; None for the whole file.
    """

    file: Path
    reason: str
    frame: int | None = None

    def __str__(self) -> str:
        place = "" if self.frame is None else f"frame {self.frame}: "
        return printable_text(f"{self.file}: {place}{self.reason}")  # a file name need not be valid text
