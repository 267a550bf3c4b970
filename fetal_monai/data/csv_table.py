"""Read a CSV table as people's spreadsheets write it, and write one as they take it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from fetal_monai.data.atomic import atomic_path
from fetal_monai.data.csv_cell import cell_text, csv_cell

Row: TypeAlias = dict[str, str]


def read_csv_table(table: Path, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    """The columns' names and the rows of a CSV table in UTF-8, all stripped of blanks, cells as `cell_text` gives them.

    Raises:
        ValueError: The file is no such table; the message names it.
    """
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front of the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            columns = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [
                {key: cell_text((value or "").strip()) for key, value in row.items() if key in columns}
                for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{table}: not a CSV table in UTF-8 ({error}); save it as CSV UTF-8 (comma separated)."
        ) from error
    return columns, rows


def write_csv_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV table in UTF-8, cells as `csv_cell` makes them; None is an empty cell.

    The file appears whole or not at all.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(_encoded([columns, *rows]))


def append_to_csv_table(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to a table that `write_csv_table` began: all of them, or none.

    Raises:
        OSError: The disk is full; the message names the file.
    """
    rest = memoryview(_encoded(rows))
    with path.open("ab", buffering=0) as file:  # one write: whoever kills the process leaves no half of a row
        end = file.seek(0, os.SEEK_END)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            file.truncate(end)
            raise OSError(error.errno, error.strerror, str(path)) from error


def _encoded(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([csv_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()
