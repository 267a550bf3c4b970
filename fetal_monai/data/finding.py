"""What is wrong with a data set, as one finding a fault."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fetal_monai.data.atomic import atomic_path

REJECTED_NAME = "rejected.csv"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a data set.

    Attributes:
        level: "error", or "warning" for what does no harm.
        check: Which check found it.
        file: Name of the frame, label or table.
        detail: What is wrong, with the values.
    """

    level: Literal["error", "warning"]
    check: str
    file: str
    detail: str


def write_rejected(output_dir: Path, findings: Iterable[Finding]) -> None:
    """Write `rejected.csv`: the files that were left out, each with the reason."""
    with (
        atomic_path(output_dir / REJECTED_NAME) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["filename", "reason"])
        writer.writerows((finding.file, finding.detail) for finding in findings)
