"""The papers' tables as printed, with the runs of ours that belong to each row and how to make them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from fetal_monai.comparison.measures import Measure


@dataclass(frozen=True)
class RowRun:
    """How we run a method of a paper's table.

    Attributes:
        bundle: Folder of its bundle in `bundles/`; the bundle's configs contain the paper's schedule.
        overlays: Further config files of the bundle, for training and evaluation.
        training_overlays: Further config files for training only.
        quick: Overrides of a small run, by name.
    """

    bundle: str
    overlays: tuple[str, ...]
    training_overlays: tuple[str, ...]
    quick: Mapping[str, Any]


@dataclass(frozen=True)
class PaperRow:
    """One row of a paper's table.

    Attributes:
        method: Name of the method.
        reported: The paper's values by metric, in the table's own units.
        ours: Logged parameters by which our runs of this method are recognised.
        run: How to run it; None if the file does not say.
    """

    method: str
    reported: Mapping[str, float]
    ours: Mapping[str, str]
    run: RowRun | None = None

    @property
    def key(self) -> str:
        """Name for folders and the command line, e.g. `deeplab_v2_discriminator`."""
        return re.sub(r"[^a-z0-9]+", "_", self.method.lower()).strip("_")

    def describes(self, parameters: Mapping[str, str]) -> bool:
        """Return whether a run with these parameters is of this method."""
        return all(parameters.get(key) == value for key, value in self.ours.items())


@dataclass(frozen=True)
class Paper:
    """A paper's table.

    Attributes:
        key: Short name, for files.
        title: Title of the paper.
        note: What its results were measured on, and what its table leaves open.
        columns: Columns of the table.
        rows: Rows of the table.
        folds: Number of folds of its cross-validation; None for one split.
    """

    key: str
    title: str
    note: str
    columns: tuple[Measure, ...]
    rows: tuple[PaperRow, ...]
    folds: int | None = None


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
        rows=tuple(_row(row) for row in content["rows"]),
        folds=content.get("folds"),
    )


def _row(content: Mapping[str, Any]) -> PaperRow:
    if "run" not in content:
        return PaperRow(**content)
    run = content["run"]
    overlays = {key: tuple(run[key]) for key in ("overlays", "training_overlays")}
    return PaperRow(**{**content, "run": RowRun(**{**run, **overlays})})
