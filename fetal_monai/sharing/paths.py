"""File paths and addresses that are written in a config."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_RELATIVE = re.compile(r"[\w.@ *{}$-]*(/[\w.@ *{}$-]+)+/?|[\w-]+")

_WORDS = """
ckpt conf csv dcm gif gz ini jpeg jpg json log md mha mhd nii npy npz onnx pdf png pt pth py safetensors sha256 tif
tiff ts tsv txt xml yaml yml zip"""
DATA_SUFFIXES = frozenset(_WORDS.split())


def path_refusal(text: str, *, continues: bool = False) -> str | None:
    """Judge a text as a file path.

    Args:
        text: from a config.
        continues: whether it is appended to another text, so that a `/` at its beginning is a separator.

    Returns:
        None if it is no path; an empty text for one below the working folder; else why it is refused.
    """
    if _ADDRESS.match(text):
        return "an address: the bundle would send to it or fetch from it"
    parts = re.split(r"[\\/]", text)
    if ".." in parts:
        return "it climbs out of its folder"
    absolute = text.startswith(("/", "~", "\\\\")) or _DRIVE.match(text)
    if absolute and not continues:
        return "an absolute path: it names a place outside of the bundle"
    named = len(parts) > 1 or (text.rsplit(".", 1)[-1].lower() in DATA_SUFFIXES and "." in text)
    return "" if named and _RELATIVE.match(text) and not text.isspace() else None


def is_data_file(text: str) -> bool:
    """Whether a text with one dot is the name of a data file, though it could be read as `module.name`."""
    stem, _, suffix = text.rpartition(".")
    return "." not in stem and suffix.lower() in DATA_SUFFIXES - {"py"}
