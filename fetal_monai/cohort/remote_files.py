"""Files at an address, retrieved one by one when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from fetal_monai.data.frame_files import is_companion, natural_key
from fetal_monai.data.io.cine.suffix import cine_suffix
from fetal_monai.files import atomic_path


def is_address(source: str) -> bool:
    """Whether a source is an address such as `s3://bucket/exams`, rather than a path."""
    return "://" in source


@dataclass(frozen=True)
class RemoteFiles:
    """The copies of files that are at an address.

    It is sent to other processes: each opens the address by itself.

    Attributes:
        address: Of the folder.
        folder: Of the copies, under the same relative names.
    """

    address: str
    folder: Path

    def __call__(self, file: Path) -> None:
        """Make the copy of a file.

        Args:
            file: Its path in `folder`.

        Raises:
            OSError: It cannot be retrieved.
        """
        files, root = url_to_fs(self.address)
        name = file.relative_to(self.folder).as_posix()
        try:
            with atomic_path(file, recorded=False) as temporary:
                files.get_file(f"{root}/{name}", str(temporary))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.address}/{name}: there is no such file; check the address.") from error


def remote_frame_files(address: str) -> list[str]:
    """List the files with frames at an address, as `frame_files` does in a folder: their relative names.

    Raises:
        FileNotFoundError: There is nothing at the address.
        ValueError: There is no frame at the address.
    """
    files, root = url_to_fs(address)
    names = [path.removeprefix(root).lstrip("/") for path in files.find(root)]
    if not names:
        raise FileNotFoundError(f"{address}: there is nothing at this address; check it.")
    frames = [name for name in names if _is_frame(files, root, name)]
    if not frames:
        raise ValueError(f"{address}: no frames at this address, only {len(names)} files of other kinds.")
    return sorted(frames, key=lambda name: (natural_key(name), name))


def _is_frame(files: AbstractFileSystem, root: str, name: str) -> bool:
    path = PurePosixPath(name)
    if any(part.startswith(".") for part in path.parts) or path.name == "DICOMDIR":
        return False
    suffix = cine_suffix(Path(name))
    if suffix is None and files.cat_file(f"{root}/{name}", start=0, end=132)[128:] == b"DICM":
        suffix = ".dcm"
    return suffix is not None and not is_companion(Path(name), suffix)
