"""The files with frames that a user names: stills, cine loops, and folders of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fetal_monai.data.frame_files import frame_files
from fetal_monai.data.io.cine.suffix import CINE_SUFFIXES, cine_suffix


def source_files(sources: Sequence[str | Path]) -> tuple[list[Path], Path]:
    """List the files with frames, each once, and the folder that their names are relative to.

    This is the folder named, or that of the file named; of several that differ, the folder that contains all, and the
    files are then absolute.

    Args:
        sources: Files, and folders that are searched with all their subfolders (see `frame_files`).

    Raises:
        FileNotFoundError: A source does not exist.
        ValueError: A folder contains no frames, or there is no source.
    """
    if not sources:
        raise ValueError("The list of frames is empty; name one file or more.")
    paths = [Path(source).expanduser() for source in sources]
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            files |= dict.fromkeys(frame_files(path, cine_suffix, CINE_SUFFIXES))
        elif path.is_file():
            files[path] = None
        else:
            raise FileNotFoundError(f"{path}: no such file or folder; give frames, cine loops, or folders of them.")
    folders = {path if path.is_dir() else path.parent for path in paths}
    if len(folders) == 1:
        return list(files), folders.pop()
    common = Path(os.path.commonpath([folder.absolute() for folder in folders]))
    return list(dict.fromkeys(file.absolute() for file in files)), common
