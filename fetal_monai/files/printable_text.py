"""Printable text for any file name."""

from __future__ import annotations


def printable_text(text: str) -> str:
    r"""Make text printable and writable: a byte of a file name that is not UTF-8 becomes ``\udcXX``.

    Example:
        >>> printable_text("F\udcf6tus.png")
        'F\\udcf6tus.png'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
