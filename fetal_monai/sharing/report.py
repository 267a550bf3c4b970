"""An audit as a table."""

from __future__ import annotations

from collections.abc import Sequence

from fetal_monai.sharing.entry import Entry

_HEADER = ("verdict", "file", "place", "kind", "what", "why")
_WIDTHS = (8, 32, 40, 10, 70, 90)


def format_report(bundle: str, entries: Sequence[Entry]) -> str:
    """The entries as a table, the refused ones first; what appears in several places has one row.

    Args:
        bundle: how it was named.
        entries: all of the bundle.
    """
    alike: dict[tuple[bool, str, str, str], list[Entry]] = {}
    for entry in entries:
        alike.setdefault((entry.refused, entry.kind, entry.what, entry.why), []).append(entry)
    rows = sorted((_row(same) for same in alike.values()), key=lambda row: row[0], reverse=True)
    refused = sum(entry.refused for entry in entries)
    verdict = f"{refused} of {len(entries)} entries REFUSED" if refused else f"clean, {len(entries)} entries"
    return "\n".join([f"{printable(bundle)}: {verdict}", *(_line(row) for row in (_HEADER, *rows))])


def printable(text: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _row(same: Sequence[Entry]) -> tuple[str, ...]:
    first = same[0]
    place = f"{first.place} (+{len(same) - 1})" if len(same) > 1 else first.place
    return ("REFUSED" if first.refused else "allowed", first.file, place, first.kind, first.what, first.why)


def _line(row: Sequence[str]) -> str:
    cells = [printable(cell) for cell in row]
    cut = [f"{cell[: width - 1]}…" if len(cell) > width else cell for cell, width in zip(cells, _WIDTHS, strict=True)]
    return "  ".join(cell.ljust(width) for cell, width in zip(cut, _WIDTHS, strict=True)).rstrip()
