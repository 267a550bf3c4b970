"""Annotations on disk, one file each, which survive the tab, the server and the machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from pydantic import ValidationError

from fetal_monai.files import atomic_path
from fetal_monai.files.folder_lock import lock_file
from fetal_monai.page.annotation import Annotation, ModelMeasurement, StoredAnnotation

logger = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, int]
"""Identifier of a file, and the place of a frame in it."""

_FOLDER = "annotations"
_LOCK = "lock"


class FolderInUseError(OSError):
    """Another server has the folder open."""


class StaleRevisionError(RuntimeError):
    """The annotation has been saved by someone else since it was read.

    Attributes:
        current: What is kept now.
    """

    def __init__(self, current: StoredAnnotation) -> None:
        super().__init__("This frame was changed in another tab. The page shows that version now.")
        self.current = current


class AnnotationStore:
    """The annotations of a folder's frames.

    Args:
        folder: Where they are kept; it is created if it does not exist.

    Raises:
        FolderInUseError: Another process keeps annotations there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process_lock = (folder / _LOCK).open("w")
        if not lock_file(self._process_lock):
            self._process_lock.close()
            raise FolderInUseError(f"{folder.parent}: another page has this folder open. Use that one, or stop it.")
        self._lock = Lock()
        self._kept = dict(self._read())

    def get(self, key: Key, file: str) -> StoredAnnotation:
        """The annotation of a frame; an empty one of revision 0 if there is none.

        Args:
            key: The frame.
            file: Its file, relative to the folder.
        """
        with self._lock:
            return self._kept.get(key) or StoredAnnotation(file=file, frame=key[1])

    def all(self) -> Mapping[Key, StoredAnnotation]:
        """The annotations of all frames that have one."""
        with self._lock:
            return dict(self._kept)

    def save(
        self, key: Key, file: str, annotation: Annotation, revision: int, model: ModelMeasurement | None
    ) -> StoredAnnotation:
        """Keep an annotation, on disk when this returns.

        Args:
            key: The frame.
            file: Its file, relative to the folder.
            annotation: What the person says now.
            revision: That of the annotation which the person has seen.
            model: What the model said; None keeps what is known of it.

        Raises:
            StaleRevisionError: Someone else has saved another one since.
        """
        with self._lock:
            kept = self._kept.get(key) or StoredAnnotation(file=file, frame=key[1])
            if kept.revision != revision:
                raise StaleRevisionError(kept)
            stored = StoredAnnotation(
                **dict(annotation),
                file=file,
                frame=key[1],
                revision=revision + 1,
                time=datetime.now(timezone.utc),
                model=model or kept.model,
            )
            with atomic_path(self._path(key), recorded=False) as temporary, temporary.open("w") as written:
                written.write(stored.model_dump_json(indent=1))
                written.flush()
                os.fsync(written.fileno())
            self._kept[key] = stored
            return stored

    def close(self) -> None:
        """Let another process have the folder."""
        self._process_lock.close()

    def _path(self, key: Key) -> Path:
        identifier, frame = key
        return self._folder / f"{identifier}-{frame}.json"

    def _read(self) -> Iterator[tuple[Key, StoredAnnotation]]:
        for path in self._folder.glob("[0-9a-f]*-*.json"):
            try:
                stored = StoredAnnotation.model_validate_json(path.read_bytes())
            except (ValidationError, OSError):
                logger.error("%s: not an annotation of this page; it is ignored and not overwritten.", path)
                path.replace(path.with_suffix(".unreadable"))
                continue
            yield (path.stem.rpartition("-")[0], stored.frame), stored
