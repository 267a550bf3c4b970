"""The table that lists the files of a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fetal_monai.data.frame_scale import FILENAME_COLUMN
from fetal_monai.files.csv_table import Row
from fetal_monai.files.name_matching import listed_name
from fetal_monai.files.table import PARQUET_SUFFIX, read_table

MANIFEST_SUFFIXES = (".csv", PARQUET_SUFFIX)


class Manifest(NamedTuple):
    """A table with a row for each file.

    Attributes:
        columns: Its columns.
        rows: Its rows, with the file's name as `listed_name` gives it.
    """

    columns: list[str]
    rows: list[Row]


def read_manifest(table: Path) -> Manifest:
    """Read a manifest.

    Raises:
        FileNotFoundError: There is no such table.
        ValueError: It lacks the column `filename`, lists nothing, or has a row without a name or a name twice.
    """
    if not table.is_file():
        raise FileNotFoundError(f"{table}: no such folder or manifest; check the path.")
    columns, rows = read_table(table)
    if FILENAME_COLUMN not in columns:
        raise ValueError(f"{table}: has the columns {columns}; expected {FILENAME_COLUMN!r}, one file in each row.")
    if not rows:
        raise ValueError(f"{table}: lists no file; add a row for each.")
    number_of: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        row[FILENAME_COLUMN] = name = listed_name(row[FILENAME_COLUMN])
        if not name:
            raise ValueError(f"{table}: row {number} has no file name; fill it in or delete the row.")
        if number_of.setdefault(name, number) != number:
            raise ValueError(f"{table}: the rows {number_of[name]} and {number} both name {name}; keep one of them.")
    return Manifest(columns, rows)
