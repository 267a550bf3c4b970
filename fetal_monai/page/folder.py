"""The folder of frames that the page shows, and nothing outside it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath

from fetal_monai.data.frame_files import frame_files
from fetal_monai.data.io.cine.suffix import CINE_SUFFIXES, cine_suffix
from fetal_monai.files.checksum import file_sha256
from fetal_monai.files.printable_text import printable_text

STATE_FOLDER = ".fetal_monai"
"""Holds what the page keeps, inside the folder of frames; hidden, so that no frame is looked for in it."""
SAVED_STEM = "labels_"
"""Start of the names of the folders, inside the folder of frames, with what was saved; no frame is looked for there."""

_LONGEST_NAME = 200


class UnknownFileError(LookupError):
    """No file of the folder has this identifier, or it is no longer a file inside the folder."""


class FrameFolder:
    """The files with frames below a folder, each under an identifier that is safe in an address.

    The page never sends a path: an identifier is the digest of a path that was found in the folder, and so tells
    neither a path outside nor a name, which may be that of a patient. Links that lead out of the folder are not listed.

    Args:
        root: The folder; it is created if it does not exist.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self._files: dict[str, Path] = {}
        self.refresh()

    @property
    def own_identifier(self) -> str:
        """Tells the folder from others, and not where it is."""
        return _digest(self.root)

    @property
    def state(self) -> Path:
        """Folder of what the page keeps."""
        return self.root / STATE_FOLDER

    @property
    def files(self) -> Mapping[str, Path]:
        """The files by their identifiers, in natural order."""
        return self._files

    def refresh(self) -> None:
        """List the folder again."""
        try:
            found = frame_files(self.root, cine_suffix, CINE_SUFFIXES)
        except ValueError:  # no frame yet: they can be dropped on the page
            found = []
        self._files = {self.identifier(path): path for path in found if self._is_shown(path)}

    def identifier(self, path: Path) -> str:
        """The identifier of a file."""
        return _digest(path.relative_to(self.root))

    def name(self, path: Path) -> str:
        """The file's path relative to the folder, as text."""
        return printable_text(path.relative_to(self.root).as_posix())

    def file(self, identifier: str) -> Path:
        """Find a file.

        Raises:
            UnknownFileError: There is none, or it has been replaced by a link that leads out of the folder.
        """
        path = self._files.get(identifier)
        if path is None or not path.is_file() or not self._is_inside(path):
            raise UnknownFileError("This file is no longer in the folder. Reload the work list.")
        return path

    def add(self, name: str, content: Path) -> str:
        """Move a file into the folder; `refresh` lists it.

        Args:
            name: Its name where it comes from: only the last part counts. If another file has it, a number is added.
            content: The file, on the same file system, without a suffix.

        Returns:
            Its identifier; if the folder has the same file already, that one's.

        Raises:
            ValueError: The name is not that of a frame.
        """
        stem, suffix = _safe_name(name)
        if not suffix and cine_suffix(content) is None:
            raise ValueError(f"{name}: not a frame; expected one of {', '.join(CINE_SUFFIXES)}, or a DICOM file.")
        number = 1
        while (path := self.root / f"{stem}{'' if number == 1 else f'_{number}'}{suffix}").exists():
            if path.is_file() and file_sha256(path) == file_sha256(content):
                break
            number += 1
        else:
            content.replace(path)
        return self.identifier(path)

    def _is_shown(self, path: Path) -> bool:
        top = path.relative_to(self.root).parts[0]
        is_saved = top.startswith(SAVED_STEM) and top[len(SAVED_STEM) :].isdecimal()
        return self._is_inside(path) and not is_saved

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root)


def _digest(path: PurePath) -> str:
    return hashlib.sha256(os.fsencode(path.as_posix())).hexdigest()[:16]


def _safe_name(name: str) -> tuple[str, str]:
    """The stem and the suffix of a file name, without folders, control characters or a leading dot."""
    last = PurePath(name.replace("\\", "/")).name
    kept = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", last).lstrip(".")[-_LONGEST_NAME:] or "frame"
    suffix = next((known for known in CINE_SUFFIXES if kept.lower().endswith(known)), "")
    return kept[: len(kept) - len(suffix)] or "frame", kept[len(kept) - len(suffix) :]
