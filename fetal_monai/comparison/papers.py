"""The tables of the papers, as they print them, and which of our runs belongs beside which row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from fetal_monai.comparison.measures import Measure


@dataclass(frozen=True)
class PaperRow:
    """One row of a paper's table.

    Attributes:
        method: its name.
        reported: the paper's figures by metric, in the table's own units.
        ours: parameters that our runs of this method have logged.
    """

    method: str
    reported: Mapping[str, float]
    ours: Mapping[str, str]

    def describes(self, parameters: Mapping[str, str]) -> bool:
        """Tell whether a run with these parameters is of this method."""
        return all(parameters.get(key) == value for key, value in self.ours.items())


@dataclass(frozen=True)
class Paper:
    """A paper's table.

    Attributes:
        key: short name, for files.
        title: the paper.
        note: what its figures were measured on, and what its table leaves open.
        columns: as in the table.
        rows: as in the table.
    """

    key: str
    title: str
    note: str
    columns: tuple[Measure, ...]
    rows: tuple[PaperRow, ...]


def load_papers() -> list[Paper]:
    """Return the tables of all papers."""
    folder = resources.files("fetal_monai.comparison") / "papers"
    return [_paper(file.read_text(encoding="utf-8")) for file in sorted(folder.iterdir(), key=lambda file: file.name)]


def _paper(text: str) -> Paper:
    content = json.loads(text)
    return Paper(
        key=content["key"],
        title=content["title"],
        note=content["note"],
        columns=tuple(Measure(**column) for column in content["columns"]),
        rows=tuple(PaperRow(**row) for row in content["rows"]),
    )
