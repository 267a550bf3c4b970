"""Suffixes of cine loops, in a module of their own: recognising a video by its name needs no decoder."""

from __future__ import annotations

from pathlib import Path

from fetal_monai.data.io.suffix import FRAME_SUFFIXES, frame_suffix

VIDEO_SUFFIXES = (".avi", ".mp4")
CINE_SUFFIXES = VIDEO_SUFFIXES + FRAME_SUFFIXES


def cine_suffix(path: str | Path) -> str | None:
    """Return the suffix that determines how a file is read: one of CINE_SUFFIXES, or None for other files."""
    suffix = Path(path).suffix.lower()
    return suffix if suffix in VIDEO_SUFFIXES else frame_suffix(path)
