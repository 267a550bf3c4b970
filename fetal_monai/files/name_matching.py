"""Match file names in tables and labels with the files on disk."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath


def composed(text: str) -> str:
    """Normalise text to composed letters (NFC), the form in which names are compared.

    macOS may store "ä" as "a" and a combining diaeresis, other systems as one letter; both look the same.
    """
    return unicodedata.normalize("NFC", text)


def listed_name(name: str) -> str:
    """Normalise a file name or path from a table to the form in which names are compared: composed, with ``/``."""
    return str(PurePosixPath(composed(name).replace("\\", "/"))) if name else ""


def find_file(folder: Path, name: str) -> Path | None:
    """Find the file in a folder that a table or label names; None if it does not exist.

    Args:
        folder: The folder. Its subfolders are not searched.
        name: The name, without a folder, in any Unicode form.
    """
    path = folder / name
    if path.is_file():
        return path
    wanted = composed(name)
    found = (entry for entry in folder.iterdir() if composed(entry.name) == wanted and entry.is_file())
    return next(found, None)
