"""Read access to the files of a bundle in a folder or zip, without unpacking it."""

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
    """A path that is not a readable bundle; the message says how to fix it."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a bundle.

    Attributes:
        name: Within the bundle, with `/`.
        size: Size in bytes, as the file system or the zip states it.
        open: Opens it for reading. A member of a zip can only be read forwards.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def read(self, limit: int) -> bytes:
        """Read the content.

        Args:
            limit: Largest size in bytes.

        Raises:
            ValueError: If it is larger than `limit`.
        """
        with self.open() as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"it has more than {limit} bytes, the limit for this type of file")
        return content

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Open it for reading in any order; a member of a zip is copied to an unnamed temporary file."""
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
    """The files of a bundle.

    Attributes:
        files: Files that can be read.
        entries: Findings about the folder or zip itself, such as links.
    """

    files: tuple[BundleFile, ...]
    entries: tuple[AuditEntry, ...]


@contextmanager
def open_bundle(path: str | Path) -> Iterator[Bundle]:
    """Open a bundle's folder or zip.

    Args:
        path: The folder that contains `configs/`, or a zip of it as in the model zoo.

    Raises:
        UnreadableBundleError: If it is neither.
    """
    path = Path(path)
    if path.is_dir():
        yield _from_folder(path)
        return
    if not path.is_file():
        raise UnreadableBundleError(f"{path} does not exist. Give a bundle's folder or its zip.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableBundleError(
            f"{path} is not a readable zip ({error}). Give a bundle's folder or its zip."
        ) from error
    with archive:
        yield _from_zip(archive, path)


def _from_zip(archive: zipfile.ZipFile, path: Path) -> Bundle:
    members = archive.infolist()
    findings = archive_findings(archive, path.name)
    if findings:
        # Such a zip cannot be trusted in any respect: it is not read further.
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
            why = "a link: its target is not part of the bundle"
            findings.append(AuditEntry(name, "", "link", str(path.readlink()), True, why))
        elif path.is_file():
            files.append(BundleFile(name, path.stat().st_size, lambda path=path: path.open("rb")))  # type: ignore[misc]
        elif not path.is_dir():
            findings.append(AuditEntry(name, "", "file", name, True, "neither a file nor a folder"))
    return Bundle(tuple(files), tuple(findings))
