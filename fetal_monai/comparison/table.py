"""A table as it is shown, and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_monai.files.csv_table import write_csv_table


@dataclass(frozen=True)
class Table:
    """A table of the comparison.

    Attributes:
        name: of its CSV file, without the ending.
        title: heading.
        note: how to read it.
        header: the columns' headings.
        rows: one text a cell.
        records: the same rows as numbers, unrounded and in the metrics' own units, by column.
    """

    name: str
    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    records: Sequence[Mapping[str, object]]

    def markdown(self) -> str:
        """Return the rows as a Markdown table."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        escaped = [[cell.replace("|", r"\|") for cell in line] for line in lines]
        return "\n".join(f"| {' | '.join(line)} |" for line in escaped)

    def write_csv(self, folder: Path) -> None:
        """Write the numbers to `<name>.csv`."""
        columns = list(dict.fromkeys(column for record in self.records for column in record))
        write_csv_table(
            folder / f"{self.name}.csv", columns, ([record.get(name) for name in columns] for record in self.records)
        )
