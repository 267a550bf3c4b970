"""Formats of CSV tables: for programs, and for spreadsheets that expect decimal commas."""

from __future__ import annotations

from typing import NamedTuple


class CsvFormat(NamedTuple):
    """How the cells of a CSV table are written.

    Attributes:
        delimiter: Separates the cells.
        decimal_mark: Separates the whole part of a number from its decimals.
        has_byte_order_mark: Whether the file begins with a UTF-8 byte order mark. Without it, Excel misreads names such
            as ``Müller.png``.
    """

    delimiter: str
    decimal_mark: str
    has_byte_order_mark: bool

    def number(self, value: float) -> str:
        """Format a number with six significant digits; NaN gives an empty string."""
        return "" if value != value else f"{value:.6g}".replace(".", self.decimal_mark)


PLAIN_CSV = CsvFormat(",", ".", has_byte_order_mark=False)
CSV_FORMATS = {
    "plain": PLAIN_CSV,
    # In languages with a decimal comma, Excel reads 1.234 as 1234 and 12.3 as a date.
    "excel": CsvFormat(";", ",", has_byte_order_mark=True),
}


def csv_format_named(name: str) -> CsvFormat:
    """Look up a format in `CSV_FORMATS`.

    Raises:
        ValueError: The name is unknown.
    """
    if name not in CSV_FORMATS:
        raise ValueError(f"csv_format is {name!r}; expected one of {', '.join(CSV_FORMATS)}.")
    return CSV_FORMATS[name]
