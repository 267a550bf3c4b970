"""Numbered output folders below the working directory."""

from __future__ import annotations

from pathlib import Path


def new_folder(stem: str) -> Path:
    """Create the next of `<stem>_1`, `<stem>_2`, ... in the working directory."""
    number = _last_number(stem)
    while True:
        number += 1
        folder = Path(f"{stem}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:  # another process was faster
            continue
        return folder


def last_folder(stem: str) -> Path | None:
    """Return the last of `<stem>_1`, `<stem>_2`, ...; None if there is none."""
    number = _last_number(stem)
    return Path(f"{stem}_{number}") if number else None


def _last_number(stem: str) -> int:
    numbers = [path.name[len(stem) + 1 :] for path in Path().glob(f"{stem}_*")]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)
