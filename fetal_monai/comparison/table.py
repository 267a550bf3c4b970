"""A table of the comparison, as text and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fetal_monai.files import atomic_path
from fetal_monai.files.csv_table import write_csv_table


@dataclass(frozen=True)
class Table:
    """A table of the comparison.

    Attributes:
        name: Name of its CSV file, without the suffix.
        title: Heading.
        note: How to read it.
        header: Headings of the columns.
        rows: The text of each cell.
        records: The same rows by column, as unrounded numbers in the metrics' own units.
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

    def latex(self) -> str:
        """Return the rows as a LaTeX tabular, which needs the package booktabs."""
        return pd.DataFrame(self.rows, columns=list(self.header)).to_latex(index=False, escape=True)

    def write_latex(self, folder: Path) -> None:
        """Write the text of the cells to `<name>.tex`."""
        with atomic_path(folder / f"{self.name}.tex") as temporary:
            temporary.write_text(self.latex(), encoding="utf-8")

    def write_csv(self, folder: Path) -> None:
        """Write the numbers to `<name>.csv`."""
        columns = list(dict.fromkeys(column for record in self.records for column in record))
        write_csv_table(
            folder / f"{self.name}.csv", columns, ([record.get(name) for name in columns] for record in self.records)
        )
