"""The suffixes of cine loops. What reads them is elsewhere: telling a video by its name needs no decoder."""

from __future__ import annotations

from pathlib import Path

from fetal_monai.data.io.suffix import FRAME_SUFFIXES, frame_suffix

VIDEO_SUFFIXES = (".avi", ".mp4")
CINE_SUFFIXES = VIDEO_SUFFIXES + FRAME_SUFFIXES


def cine_suffix(path: str | Path) -> str | None:
    """The suffix that says how to read a file: one of CINE_SUFFIXES, or None for a file of another kind."""
    suffix = Path(path).suffix.lower()
    return suffix if suffix in VIDEO_SUFFIXES else frame_suffix(path)
