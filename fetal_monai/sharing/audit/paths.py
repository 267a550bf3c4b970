"""File paths and addresses that are written in a config."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_RELATIVE = re.compile(r"[\w.@ *{}$-]*(/[\w.@ *{}$-]+)+/?|[\w-]+")

_WORDS = """
ckpt conf csv dcm gif gz ini jpeg jpg json log md mha mhd nii npy npz onnx pdf png pt pth py safetensors sha256 tif
tiff ts tsv txt xml yaml yml zip"""
DATA_SUFFIXES = frozenset(_WORDS.split())


class PathKind(Enum):
    """What a text is as a path."""

    NO_PATH = "no path"
    BELOW = "below the working folder, or below what it is appended to"
    OUTSIDE = "outside of the working folder, or an address"


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """How a text was judged as a path.

    Attributes:
        kind: What it is; all but OUTSIDE may stand in a config.
        why: The reason.
    """

    kind: PathKind
    why: str

    @property
    def refused(self) -> bool:
        """Whether it may not stand in a config."""
        return self.kind not in (PathKind.NO_PATH, PathKind.BELOW)


def judge_path(text: str, *, continues: bool = False) -> PathVerdict:
    """Judge a text as a file path.

    Args:
        text: from a config.
        continues: whether it is appended to another text, so that a `/` at its beginning is a separator.
    """
    if _ADDRESS.match(text):
        return PathVerdict(PathKind.OUTSIDE, "an address: the bundle would send to it or fetch from it")
    parts = re.split(r"[\\/]", text)
    if ".." in parts:
        return PathVerdict(PathKind.OUTSIDE, "it climbs out of its folder")
    absolute = text.startswith(("/", "~", "\\\\")) or _DRIVE.match(text)
    if absolute and not continues:
        return PathVerdict(PathKind.OUTSIDE, "an absolute path: it names a place outside of the bundle")
    named = len(parts) > 1 or (text.rsplit(".", 1)[-1].lower() in DATA_SUFFIXES and "." in text)
    if named and _RELATIVE.match(text) and not text.isspace():
        return PathVerdict(PathKind.BELOW, PathKind.BELOW.value)
    return PathVerdict(PathKind.NO_PATH, PathKind.NO_PATH.value)


def is_data_file(text: str) -> bool:
    """Whether a text with one dot is the name of a data file, though it could be read as `module.name`."""
    stem, _, suffix = text.rpartition(".")
    return "." not in stem and suffix.lower() in DATA_SUFFIXES - {"py"}
