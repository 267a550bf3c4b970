"""Judge where a bundle writes.

A file that one run writes may be read as code or config by the next: a module in the working directory, which is on
Python's path; a config that `%` refers to; a `logging.conf`; the `entry_points.txt` of a `*.dist-info` folder. So a
bundle may write only data files, and only into folders that contain none of these.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

_FOLDER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9]+)+", re.ASCII)
_READ_AS_CODE = frozenset({"configs", "__pycache__"})


def judge_written_folder(text: str) -> Verdict:
    """Judge the path of a folder that files are written into.

    Args:
        text: Path relative to the working directory; empty for the working directory itself.
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/"):
        return refuse(f"{text!r}: an absolute path")
    for part in parts:
        if not _FOLDER.fullmatch(part):
            return refuse(f"{text!r}: a folder to write into may have only letters, digits, _ and - in its name")
        if part.casefold() in _READ_AS_CODE:
            return refuse(f"{text!r}: files in {part} are read as code or configs")
    return allow(f"writes into {text or '.'}")


def judge_written_file(text: str, suffixes: Collection[str]) -> Verdict:
    """Judge the path of a file that is written.

    Args:
        text: Path relative to the working directory.
        suffixes: Allowed suffixes, with the dot.
    """
    folder, slash, name = text.rpartition("/")
    verdict = judge_written_folder(folder + slash)
    if not verdict.allowed:
        return verdict
    if not _FILE.fullmatch(name) or name[name.index(".") :].lower() not in suffixes:
        return refuse(f"{text!r}: expected a file name that ends with {', '.join(sorted(suffixes))}")
    return allow(f"writes {text}")
