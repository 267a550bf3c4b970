"""The report of an audit as a table."""

from __future__ import annotations

from collections.abc import Sequence

from fetal_monai.sharing.audit.audit_entry import AuditEntry

_HEADER = ("verdict", "file", "place", "kind", "what", "why")
_WIDEST = (8, 32, 40, 10, 70, 90)


def format_report(bundle: str, entries: Sequence[AuditEntry]) -> str:
    """Format entries as a table, refused ones first. Equal entries in several places share a row.

    Args:
        bundle: Path of the bundle as it was given.
        entries: All entries of the bundle.
    """
    alike: dict[tuple[bool, str, str, str], list[AuditEntry]] = {}
    for entry in entries:
        alike.setdefault((entry.refused, entry.kind, entry.what, entry.why), []).append(entry)
    groups = sorted(alike.values(), key=lambda same: not same[0].refused)
    refused = sum(entry.refused for entry in entries)
    verdict = f"{refused} of {len(entries)} entries REFUSED" if refused else f"clean, {len(entries)} entries"
    rows: list[Sequence[str]] = [_HEADER]
    for same in groups:
        rows.append([_cut(printable(cell), most) for cell, most in zip(_row(same), _WIDEST, strict=True)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join([f"{printable(bundle)}: {verdict}", *lines])


def printable(text: str) -> str:
    """Escape the characters that would control a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _row(same: Sequence[AuditEntry]) -> tuple[str, ...]:
    first = same[0]
    place = f"{first.place} (+{len(same) - 1})" if len(same) > 1 else first.place
    return ("REFUSED" if first.refused else "allowed", first.file, place, first.kind, first.what, first.why)


def _cut(text: str, most: int) -> str:
    return f"{text[: most - 1]}…" if len(text) > most else text
