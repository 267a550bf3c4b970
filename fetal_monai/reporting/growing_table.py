"""A table that is written during a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.files.csv_format import csv_format_named
from fetal_monai.reporting.report_files import append_to_table, write_table


class GrowingTable:
    """A CSV table to which rows are added during a run, and which is sorted at its end.

    A row is in the file when `add` returns. A killed run thus leaves a complete table of the rows so far, in the order
    in which they were added. The cost of a row does not depend on the number of rows.

    Args:
        path: Path of the table.
        columns: Names of the columns.
        csv_format: How the table is written, one of `fetal_monai.files.csv_format.CSV_FORMATS`.

    Raises:
        ValueError: There is no such format.
    """

    def __init__(self, path: Path, columns: Sequence[str], csv_format: str = "plain") -> None:
        self.path = path
        self.columns = columns
        self.csv_format = csv_format_named(csv_format)
        self.rows: list[Mapping[str, Any]] = []

    def start(self) -> None:
        """Start an empty table, in place of an earlier one."""
        self.rows = []
        self._write(self.rows)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, values by column; a column without a value is an empty cell."""
        if added := list(rows):
            append_to_table(self.path, map(self._cells, added), self.csv_format)
            self.rows += added

    def finish(self, key: Callable[[Mapping[str, Any]], Any]) -> None:
        """Write the rows again, ordered by a key."""
        self._write(sorted(self.rows, key=key))

    def _write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        write_table(self.path, self.columns, map(self._cells, rows), self.csv_format)

    def _cells(self, row: Mapping[str, Any]) -> list[Any]:
        return [row.get(column) for column in self.columns]
