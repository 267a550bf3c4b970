"""Read a CSV table as people's spreadsheets write it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = dict[str, str]


def read_csv_table(table: Path, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    """The columns' names and the rows of a CSV table in UTF-8, all stripped of blanks.

    Raises:
        ValueError: The file is no such table; the message names it.
    """
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front of the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            columns = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [{key: (value or "").strip() for key, value in row.items() if key in columns} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{table}: not a CSV table in UTF-8 ({error}); save it as CSV UTF-8 (comma separated)."
        ) from error
    return columns, rows
