"""What an audit finds, one entry a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fetal_monai.sharing.audit.verdict import Verdict

_SHOWN = 160


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing in a bundle that could run code, or read or write a file.

    Attributes:
        file: Name within the bundle, with `/`.
        place: Where in the file, as MONAI writes an id (`train#trainer#_target_`); empty for the whole file.
        kind: What it is: "target", "expression", "import", "macro", "path", ...
        what: The text itself.
        refused: Whether it is outside of what is allowed.
        why: The reason, or what it was found to be.
    """

    file: str
    place: str
    kind: str
    what: str
    refused: bool
    why: str


class Placed(Protocol):
    """What stands somewhere in a file."""

    @property
    def file(self) -> str: ...  # noqa: D102

    @property
    def place(self) -> str: ...  # noqa: D102


def item_entry(item: Placed, kind: str, what: str, verdict: Verdict) -> AuditEntry:
    """The entry for a part of a config."""
    shown = what if len(what) <= _SHOWN else f"{what[: _SHOWN - 3]}..."
    return AuditEntry(item.file, item.place, kind, shown, not verdict.allowed, verdict.why)
