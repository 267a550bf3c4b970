"""The forms in which a CSV table is written: for programs, and for spreadsheets that expect decimal commas."""

from __future__ import annotations

from typing import NamedTuple


class CsvFormat(NamedTuple):
    """How the cells of a CSV table are written.

    Attributes:
        delimiter: Separates the cells.
        decimal_mark: Separates the whole part of a number from its decimals.
        has_byte_order_mark: Whether the file begins with a UTF-8 byte order mark, without which Excel takes the letters
            of a name such as ``Müller.png`` for others.
    """

    delimiter: str
    decimal_mark: str
    has_byte_order_mark: bool

    def number(self, value: float) -> str:
        """A number with six significant digits; an empty text for NaN."""
        return "" if value != value else f"{value:.6g}".replace(".", self.decimal_mark)


PLAIN_CSV = CsvFormat(",", ".", has_byte_order_mark=False)
CSV_FORMATS = {
    "plain": PLAIN_CSV,
    # In languages with a decimal comma, Excel reads 1.234 as 1234 and 12.3 as a date.
    "excel": CsvFormat(";", ",", has_byte_order_mark=True),
}


def csv_format_named(name: str) -> CsvFormat:
    """The format of this name in `CSV_FORMATS`.

    Raises:
        ValueError: There is no such format.
    """
    if name not in CSV_FORMATS:
        raise ValueError(f"csv_format is {name!r}; expected one of {', '.join(CSV_FORMATS)}.")
    return CSV_FORMATS[name]
