"""A table that is written during a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.reporting.report_files import append_to_table, write_table


class GrowingTable:
    """A CSV table to which rows are added during a run, and which is sorted at its end.

    A row is in the file when `add` returns. A killed run thus leaves a complete table of the rows so far, in the order
    in which they were added. The cost of a row does not depend on the number of rows.

    Args:
        path: Path of the table.
        columns: Names of the columns.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.columns = columns
        self.rows: list[Mapping[str, Any]] = []

    def start(self) -> None:
        """Start an empty table, in place of an earlier one."""
        self.rows = []
        self._write(self.rows)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, values by column; a column without a value is an empty cell."""
        if added := list(rows):
            append_to_table(self.path, map(self._cells, added))
            self.rows += added

    def finish(self, key: Callable[[Mapping[str, Any]], Any]) -> None:
        """Write the rows again, ordered by a key."""
        self._write(sorted(self.rows, key=key))

    def _write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        write_table(self.path, self.columns, map(self._cells, rows))

    def _cells(self, row: Mapping[str, Any]) -> list[Any]:
        return [row.get(column) for column in self.columns]
