"""Read CSV tables as spreadsheets write them, and write tables that spreadsheets read correctly."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from fetal_monai.files.atomic import atomic_path
from fetal_monai.files.csv_cell import cell_text, csv_cell
from fetal_monai.files.csv_format import PLAIN_CSV, CsvFormat
from fetal_monai.files.name_matching import composed

Row: TypeAlias = dict[str, str]

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_csv_table(table: Path, delimiter: str = ",", required: Sequence[str] = ()) -> tuple[list[str], list[Row]]:
    """Read the column names and the rows of a CSV table in UTF-8, stripped of blanks, with composed letters (NFC).

    Cells are passed through `cell_text`. A row with fewer cells than columns is filled up with empty cells.

    Args:
        table: The file.
        delimiter: Separates the cells.
        required: Columns that the table must have; others are allowed.

    Raises:
        ValueError: The file is not a CSV table in UTF-8, has another delimiter, lacks a required column, has two
            columns of the same name, or has a row with more cells than columns. The message names the file and, for a
            row, the line.
    """
    try:
        # utf-8-sig: spreadsheets write a byte order mark before the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            columns = _texts(next(reader, []))
            _check_columns(table, columns, delimiter, required)
            rows = []
            for line in reader:
                cells = _texts(line)
                if any(cells[len(columns) :]):
                    raise ValueError(
                        f"{table}, line {reader.line_num}: has {len(cells)} cells for {len(columns)} columns "
                        f"({delimiter.join(line)}); put a cell that holds {delimiter!r} into quotes, and write numbers "
                        "with a decimal point and without thousands separators."
                    )
                if any(cells):
                    cells += [""] * (len(columns) - len(cells))
                    rows.append(dict(zip(columns, cells, strict=False)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{table}: not a CSV table in UTF-8 ({error}); save it as CSV UTF-8 (comma separated)."
        ) from error
    return columns, rows


def write_csv_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], csv_format: CsvFormat = PLAIN_CSV
) -> None:
    """Write a CSV table in UTF-8, with its cells converted by `csv_cell`; None is an empty cell.

    The file is written completely or not at all.
    """
    mark = codecs.BOM_UTF8 if csv_format.has_byte_order_mark else b""
    with atomic_path(path) as temporary:
        temporary.write_bytes(mark + _encoded([columns, *rows], csv_format))


def append_to_csv_table(path: Path, rows: Iterable[Sequence[Any]], csv_format: CsvFormat = PLAIN_CSV) -> None:
    """Append rows to a table that `write_csv_table` started in the same format: all of them or none.

    Raises:
        OSError: The disk is full; the message names the file.
    """
    rest = memoryview(_encoded(rows, csv_format))
    with path.open("ab", buffering=0) as file:  # one write, so that a killed process leaves no partial row
        end = file.seek(0, os.SEEK_END)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            file.truncate(end)
            raise OSError(error.errno, error.strerror, str(path)) from error


def _encoded(rows: Iterable[Sequence[Any]], csv_format: CsvFormat) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=csv_format.delimiter, lineterminator="\n")
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _texts(cells: list[str]) -> list[str]:
    return [cell_text(composed(cell).strip()) for cell in cells]


def _check_columns(table: Path, columns: list[str], delimiter: str, required: Sequence[str]) -> None:
    if len(columns) == 1:
        for other, name in _DELIMITERS.items():
            if other != delimiter and other in columns[0]:
                raise ValueError(
                    f"{table}: its columns are separated by {name}; expected {_DELIMITERS[delimiter]}. Save it again "
                    f"with {delimiter!r} between the cells, and write numbers with a decimal point."
                )
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        raise ValueError(f"{table}: has more than one column {', '.join(repeated)}; keep one of them.")
    missing = [name for name in required if name not in columns]
    if missing:
        raise ValueError(f"{table}: lacks the columns {missing}, it has {columns}; add them.")
