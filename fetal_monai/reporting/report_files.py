"""The files of a report: tables as CSV, the summary as JSON and as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.files import atomic_path
from fetal_monai.files.csv_format import PLAIN_CSV, CsvFormat
from fetal_monai.files.csv_table import append_to_csv_table, write_csv_table


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], csv_format: CsvFormat = PLAIN_CSV
) -> None:
    """Write a CSV table; floats have six significant digits, NaN and None are empty cells."""
    write_csv_table(path, columns, _cells(rows, csv_format), csv_format)


def append_to_table(path: Path, rows: Iterable[Sequence[Any]], csv_format: CsvFormat = PLAIN_CSV) -> None:
    """Append rows to a table that `write_table` started in the same format."""
    append_to_csv_table(path, _cells(rows, csv_format), csv_format)


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write the summary as JSON, with null for NaN."""
    values = {name: None if value != value else value for name, value in summary.items()}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")


def summary_table(summary: Mapping[str, Any]) -> str:
    """The summary as lines of name and value."""
    rows = [(name, f"{value:.4f}" if isinstance(value, float) else str(value)) for name, value in summary.items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def frame_name(file: str | Path, source_dir: Path) -> str:
    """Name of a frame in tables: its path below the folder of the frames."""
    path = Path(file)
    return (path.relative_to(source_dir) if path.is_relative_to(source_dir) else path).as_posix()


def _cells(rows: Iterable[Sequence[Any]], csv_format: CsvFormat) -> Iterator[list[Any]]:
    for row in rows:
        yield [csv_format.number(value) if isinstance(value, float) else value for value in row]
