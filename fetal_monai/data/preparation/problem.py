"""Problems of a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fetal_monai.files.csv_table import write_csv_table
from fetal_monai.files.printable_text import printable_text

REJECTED_NAME = "rejected.csv"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a data set.

    Names and details are stored as printable text, also for file names that are not valid text.

    Attributes:
        level: "error", or "warning" if it is harmless.
        check: Name of the check that found it.
        file: Name of the frame, label or table.
        detail: What is wrong, with the values.
    """

    level: Literal["error", "warning"]
    check: str
    file: str
    detail: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", printable_text(self.file))
        object.__setattr__(self, "detail", printable_text(self.detail))


def write_rejected(output_dir: Path, problems: Iterable[Problem]) -> None:
    """Write `rejected.csv`, the files that were left out with the reasons."""
    rows = ((finding.file, finding.detail) for finding in problems)
    write_csv_table(output_dir / REJECTED_NAME, ["filename", "reason"], rows)
