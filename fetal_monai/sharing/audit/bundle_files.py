"""The files of a bundle, in a folder or a zip, opened for reading and never unpacked."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fetal_monai.sharing.audit.archive import archive_findings
from fetal_monai.sharing.audit.audit_entry import AuditEntry

_CHUNK_BYTES = 2**20


class UnreadableBundleError(ValueError):
    """What was named is no bundle, or cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file.

    Attributes:
        name: Within the bundle, with `/`.
        size: Bytes, as the file system or the zip states them.
        open: Opens it for reading. What a zip holds can be read forwards only.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def read(self, limit: int) -> bytes:
        """Read the content.

        Raises:
            ValueError: if it has more than `limit` bytes.
        """
        with self.open() as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"it has more than {limit} bytes, too many for such a file")
        return content

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Open it so that one can go to and fro; what a zip holds is copied to an unnamed temporary file."""
        with self.open() as stream:
            if not isinstance(stream, zipfile.ZipExtFile):
                yield stream
                return
            with tempfile.TemporaryFile() as copy:
                while chunk := stream.read(_CHUNK_BYTES):
                    copy.write(chunk)
                copy.seek(0)
                yield copy


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a bundle, and what is wrong with the way they are kept."""

    files: tuple[BundleFile, ...]
    entries: tuple[AuditEntry, ...]


@contextmanager
def open_bundle(path: str | Path) -> Iterator[Bundle]:
    """Open a bundle's folder or zip.

    Args:
        path: the folder that holds `configs/`, or a zip of it as the model zoo has it.

    Raises:
        UnreadableBundleError: if it is neither.
    """
    path = Path(path)
    if path.is_dir():
        yield _from_folder(path)
        return
    if not path.is_file():
        raise UnreadableBundleError(f"There is nothing at {path}. Name a bundle's folder or its zip.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableBundleError(f"{path} is no zip that can be read ({error}). Name a folder or a zip.") from error
    with archive:
        yield _from_zip(archive, path)


def _from_zip(archive: zipfile.ZipFile, path: Path) -> Bundle:
    members = archive.infolist()
    findings = archive_findings(archive, path.name)
    if findings:
        # Nothing in such a zip is what it seems: it is not read further.
        return Bundle((), tuple(findings))
    files = [member for member in members if not member.is_dir()]
    roots = {member.filename.split("/")[0] for member in files if "/" in member.filename}
    root = f"{roots.pop()}/" if len(roots) == 1 and all("/" in member.filename for member in files) else ""
    root = "" if root == "configs/" else root

    def opener(member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: archive.open(member)

    named = [BundleFile(member.filename[len(root) :], member.file_size, opener(member)) for member in files]
    return Bundle(tuple(named), ())


def _from_folder(folder: Path) -> Bundle:
    files = []
    findings = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            why = "a link: what it leads to is no part of the bundle"
            findings.append(AuditEntry(name, "", "link", str(path.readlink()), True, why))
        elif path.is_file():
            files.append(BundleFile(name, path.stat().st_size, lambda path=path: path.open("rb")))  # type: ignore[misc]
        elif not path.is_dir():
            findings.append(AuditEntry(name, "", "file", name, True, "neither a file nor a folder"))
    return Bundle(tuple(files), tuple(findings))
