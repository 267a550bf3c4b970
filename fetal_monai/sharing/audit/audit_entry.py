"""Entries of an audit's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fetal_monai.sharing.audit.verdict import Verdict

_SHOWN = 160


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something in a bundle that could run code, or read or write a file.

    Attributes:
        file: Name within the bundle, with `/`.
        place: Where in the file, as a MONAI id (`trainer#_target_`). Empty for the whole file.
        kind: Its kind: "target", "expression", "import", "macro", "path", ...
        what: The text itself.
        refused: Whether it is not allowed.
        why: The reason for a refusal, or what it was found to be.
    """

    file: str
    place: str
    kind: str
    what: str
    refused: bool
    why: str


class Placed(Protocol):
    """Anything with a place in a file."""

    @property
    def file(self) -> str: ...  # noqa: D102

    @property
    def place(self) -> str: ...  # noqa: D102


def item_entry(item: Placed, kind: str, what: str, verdict: Verdict) -> AuditEntry:
    """Return the entry for a part of a config. A long text is shortened."""
    shown = what if len(what) <= _SHOWN else f"{what[: _SHOWN - 3]}..."
    return AuditEntry(item.file, item.place, kind, shown, not verdict.allowed, verdict.why)
