"""What an audit finds, one entry a thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
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
