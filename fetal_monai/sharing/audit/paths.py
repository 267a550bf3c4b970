"""File paths and URLs in a config."""

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
    """The kinds of paths."""

    NO_PATH = "not a path"
    BELOW = "below the working directory, or below what it is appended to"
    OUTSIDE = "outside the working directory, or a URL"


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """The verdict on a string as a path.

    Attributes:
        kind: Its kind. All but OUTSIDE are allowed in a config.
        why: The reason.
    """

    kind: PathKind
    why: str

    @property
    def refused(self) -> bool:
        """Whether it is not allowed in a config."""
        return self.kind not in (PathKind.NO_PATH, PathKind.BELOW)


def judge_path(text: str, *, continues: bool = False) -> PathVerdict:
    """Judge a string as a file path.

    Args:
        text: The string from a config.
        continues: Whether it is appended to another string, so that a leading `/` is a separator.
    """
    if _ADDRESS.match(text):
        return PathVerdict(PathKind.OUTSIDE, "a URL: the bundle would send to it or fetch from it")
    parts = re.split(r"[\\/]", text)
    if ".." in parts:
        return PathVerdict(PathKind.OUTSIDE, ".. leads out of its folder")
    absolute = text.startswith(("/", "~", "\\\\")) or _DRIVE.match(text)
    if absolute and not continues:
        return PathVerdict(PathKind.OUTSIDE, "an absolute path: it is outside the bundle")
    named = len(parts) > 1 or (text.rsplit(".", 1)[-1].lower() in DATA_SUFFIXES and "." in text)
    if named and _RELATIVE.match(text) and not text.isspace():
        return PathVerdict(PathKind.BELOW, PathKind.BELOW.value)
    return PathVerdict(PathKind.NO_PATH, PathKind.NO_PATH.value)


def is_data_file(text: str) -> bool:
    """Return whether a string with one dot is the name of a data file, although it could be read as `module.name`."""
    stem, _, suffix = text.rpartition(".")
    return "." not in stem and suffix.lower() in DATA_SUFFIXES - {"py"}
