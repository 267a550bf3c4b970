"""Text in the cells of CSV tables that people open in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any

from fetal_monai.files.printable_text import printable_text

# Text that a spreadsheet reads as a formula. Text that begins this way after apostrophes is protected too, so that
# every text can be restored.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PROTECTED = re.compile(r"'+[=+\-@\t\r]")


def csv_cell(value: Any) -> Any:
    r"""Convert a value to a cell that a spreadsheet reads as data, never as a formula; `cell_text` reverses this.

    Text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return gets an apostrophe in front. Numbers
    are unchanged, also as text with a decimal point or comma. Bytes of a file name that are not UTF-8 are written as
    ``\udcXX``.

    Example:
        >>> csv_cell("=1+1.png"), csv_cell("007_HC.png"), csv_cell("-0.5"), csv_cell(-0.5)
        ("'=1+1.png", '007_HC.png', '-0.5', -0.5)
    """
    if not isinstance(value, str):
        return value
    text = printable_text(value)
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def cell_text(cell: str) -> str:
    """Restore the text of a cell that `csv_cell` made."""
    return cell[1:] if _PROTECTED.match(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
