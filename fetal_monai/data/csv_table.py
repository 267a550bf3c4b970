"""Read a CSV table as people's spreadsheets write it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeAlias

from fetal_monai.data.file_name import composed

Row: TypeAlias = dict[str, str]

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_csv_table(table: Path, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    """The columns' names and the rows of a CSV table in UTF-8, all stripped of blanks, with composed letters (NFC).

    A row with fewer cells than columns is filled up with empty ones.

    Raises:
        ValueError: The file is no such table, is separated otherwise, has two columns of one name, or a row with more
            cells than columns; the message names the file and the line.
    """
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front of the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            columns = _stripped(next(reader, []))
            _check_columns(table, columns, delimiter)
            rows = []
            for line in reader:
                cells = _stripped(line)
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


def _stripped(cells: list[str]) -> list[str]:
    return [composed(cell).strip() for cell in cells]


def _check_columns(table: Path, columns: list[str], delimiter: str) -> None:
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
