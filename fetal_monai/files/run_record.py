"""The record of what a run writes into its folder, by which the next run moves exactly these files aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from fetal_monai.files.folder_lock import lock_file

_UNFINISHED = ".run_unfinished"  # what is being moved; it takes its number in one step

_running: _RunRecord | None = None


class FolderInUseError(OSError):
    """Another process writes its results into the folder."""


class _RunRecord:
    """A file with the paths that a run wrote, relative to its folder, as one JSON string a line."""

    def __init__(self, folder: Path, file: TextIO) -> None:
        self.folder = folder.absolute()
        self.file = file
        self.names: set[str] = set()
        if file.tell():
            file.write("\n")  # a kill may have left half of a line

    def note(self, path: Path) -> None:
        path = path.absolute()
        if path.is_relative_to(self.folder) and (name := path.relative_to(self.folder).as_posix()) not in self.names:
            self.names.add(name)
            self.file.write(json.dumps(name) + "\n")
            self.file.flush()


@contextmanager
def record_run(folder: Path, record: str) -> Iterator[None]:
    """Record the files that `atomic_path` writes below a folder in the block, until the block ends.

    A file is recorded before it takes its name, so that a killed run leaves none out.

    Args:
        folder: An existing folder.
        record: Name of the record, which lies in the folder. An existing one is continued.

    Raises:
        FolderInUseError: Another process has this record open.
    """
    global _running
    with _opened(folder / record) as file:
        outer, _running = _running, _RunRecord(folder, file)
        try:
            yield
        finally:
            _running = outer


def note_written(path: Path) -> None:
    """Add a file to the record of the run in progress, if there is one and the file is below its folder."""
    if _running is not None:
        _running.note(path)


def move_recorded_files(folder: Path, records: Iterable[str]) -> Path | None:
    """Move the files of earlier runs, and their records, into a numbered folder: `run_1`, `run_2`, ...

    Files that are not in a record stay. If the process is killed meanwhile, the next call completes the move.

    Args:
        folder: Where the earlier runs wrote.
        records: Names of their records; those that do not exist are ignored.

    Returns:
        The numbered folder; None if there was nothing to move.

    Raises:
        FolderInUseError: One of these runs is still running.
    """
    present = [folder / record for record in records if (folder / record).is_file()]
    names: list[str] = []
    for record in present:
        with _opened(record) as file:
            file.seek(0)
            names += _names(file)
    moved = move_aside(folder, names, last=[record.name for record in present])
    for record in present:
        record.unlink(missing_ok=True)  # of a run whose files somebody deleted
    return moved


def move_aside(folder: Path, names: Iterable[str], last: Sequence[str] = ()) -> Path | None:
    """Move files into a numbered folder within their own, where they keep their relative paths.

    Args:
        folder: The files' folder.
        names: Their paths relative to it; those that do not exist are ignored.
        last: More of them, which are moved only if there are others to move, and after these.

    Returns:
        The numbered folder; None if no file exists.
    """
    unfinished = folder / _UNFINISHED
    existing = [name for name in names if (folder / name).is_file()]
    if not existing and not unfinished.is_dir():
        return None
    for name in (*existing, *last):
        target = unfinished / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            (folder / name).replace(target)
        _remove_empty(Path(name).parents, folder)
    numbers = [int(path.name[4:]) for path in folder.glob("run_*") if path.name[4:].isdecimal()]
    return unfinished.rename(folder / f"run_{max(numbers, default=0) + 1}")


@contextmanager
def _opened(record: Path) -> Iterator[TextIO]:
    with record.open("a+", encoding="utf-8") as file:
        if not lock_file(file):
            raise FolderInUseError(
                f"{record.parent}: another process writes its results there. Wait until it ends, or name another "
                "folder with --output_dir."
            )
        yield file


def _names(record: TextIO) -> Iterator[str]:
    for line in record:
        with suppress(json.JSONDecodeError):  # half of a line, or an empty one
            name = json.loads(line)
            if isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts:
                yield name


def _remove_empty(parents: Sequence[Path], folder: Path) -> None:
    for parent in parents[:-1]:  # the last one is the folder itself
        with suppress(OSError):  # it holds other files
            (folder / parent).rmdir()
