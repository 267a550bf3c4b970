"""The queue on disk: the received objects, their reports, and the table of them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from fetal_monai.files import atomic_path
from fetal_monai.files.durable import make_durable
from fetal_monai.node.object_table import Entry, ObjectTable, State

_KEPT = (State.RECEIVED, State.REPORTED, State.FAILED)
"""States in which the files of an object are kept."""
_RESERVE_BYTES = 32 << 20
"""Left free on the disk, so that reports can be written and sent, after which there is room again."""


class Spool:
    """What a node has taken charge of; it outlasts a kill of the process and a power failure.

    The rows are in ``queue.sqlite``, the received objects in ``objects/``, and the reports that wait in ``reports/``.
    Files are named by the hash of the SOP Instance UID. They are deleted when the PACS has the reports, or when there
    is nothing to report; those of failed objects are kept.

    Args:
        folder: Folder of the queue, for the user only; it is created if it does not exist.

    Attributes:
        folder: As given.
        table: The table of the objects.

    Raises:
        OSError: The folder cannot be written to.
        sqlite3.Error: Another node uses the folder, or its table is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._receiving = Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in (self.objects, self.reports):
            part.mkdir(exist_ok=True)
        self.table = ObjectTable(folder / "queue.sqlite")
        self._remove_what_a_kill_left()

    @property
    def objects(self) -> Path:
        """Folder of the received objects."""
        return self.folder / "objects"

    @property
    def reports(self) -> Path:
        """Folder of the reports that wait."""
        return self.folder / "reports"

    def object_path(self, name: str) -> Path:
        """Return the file of an object."""
        return self.objects / f"{name}.dcm"

    def report_paths(self, name: str) -> list[Path]:
        """Return the files of an object's reports."""
        return sorted(self.reports.glob(f"{name}_*.dcm"))

    def receive(self, sop_instance_uid: str, size_bytes: int, write: Callable[[BinaryIO], object]) -> int | None:
        """Take charge of an object: when this returns, it is on the disk.

        Args:
            sop_instance_uid: Identifies the object.
            size_bytes: Its size.
            write: Writes its file.

        Returns:
            Its number; None if it came before, and has not failed.

        Raises:
            OSError: It cannot be written, or the disk would be nearly full. There is nothing of it.
            sqlite3.Error: Likewise.
        """
        name = hashlib.sha256(sop_instance_uid.encode()).hexdigest()[:32]
        path = self.object_path(name)
        with self._receiving:
            if self.table.holds(name):
                return None
            if shutil.disk_usage(self.folder).free < size_bytes + _RESERVE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            is_new = not path.exists()
            try:
                with atomic_path(path, recorded=False) as temporary, temporary.open("wb") as file:
                    write(file)
                make_durable(path)
                return self.table.add(name)
            except BaseException:
                if is_new:  # else it is one that has failed, and stays so
                    path.unlink(missing_ok=True)
                raise

    def move(self, entry: Entry, state: State, reason: str) -> None:
        """Put an object into its next state, and delete the files that are no longer needed."""
        self.table.move(entry.number, state, reason)
        if state not in _KEPT:
            self.discard_reports(entry.name)
            self.object_path(entry.name).unlink(missing_ok=True)

    def discard_reports(self, name: str) -> None:
        """Delete the reports of an object."""
        for path in self.report_paths(name):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the table."""
        self.table.close()

    def _remove_what_a_kill_left(self) -> None:
        """Files without a row in a state that keeps them: half written, not confirmed, or no longer needed."""
        kept = self.table.names(_KEPT)
        for path in (*self.objects.iterdir(), *self.reports.iterdir()):
            if path.stem.partition("_")[0] not in kept:
                path.unlink()
