"""Download the files of a Zenodo record, each checked against the record's own md5."""

from __future__ import annotations

import json
import lzma
import shutil
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen
from zipfile import BadZipFile, ZipFile

from data_prep.errors import DownloadError
from fetal_monai.files import atomic_path

_TIMEOUT_S = 60
_CHUNK_BYTES = 1 << 20


def download_record(record_url: str, names: Sequence[str], folder: str | Path) -> None:
    """Download files of a Zenodo record to a folder and unpack the zip archives among them.

    An existing file with the correct md5 is not downloaded again, and its archive is not unpacked again, so an
    interrupted download continues with the next file. A failed download leaves no partial file.

    Args:
        record_url: URL of the record's JSON, such as https://zenodo.org/api/records/1327317.
        names: Names of the files ("key" in the record). `NAME.zip` is unpacked to `folder/NAME/`.
        folder: Folder for the files; it is created if it does not exist.

    Raises:
        DownloadError: The record or a file cannot be downloaded, a file is not in the record, an md5 is wrong, or an
            archive is damaged or has a member that cannot be read or would be written outside the folder.
    """
    folder = Path(folder)
    files = _read_record(record_url)
    absent = [name for name in names if name not in files]
    if absent:
        raise DownloadError(f"{record_url} has no file {', '.join(absent)}; it has {', '.join(sorted(files))}.")
    for name in names:
        url, md5 = files[name]
        target = folder / name
        fetched = _fetch(url, md5, target)
        if target.suffix == ".zip" and (fetched or not target.with_suffix("").is_dir()):
            _unpack(target)


def _read_record(record_url: str) -> dict[str, tuple[str, str]]:
    """Read the URL and the md5 of each file of a record."""
    try:
        with urlopen(record_url, timeout=_TIMEOUT_S) as response:
            record = json.load(response)
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(f"{record_url} cannot be read as a Zenodo record: {error}.") from error
    try:
        files = {}
        for file in record["files"]:
            algorithm, _, checksum = file["checksum"].partition(":")
            if algorithm != "md5" or not checksum:
                raise DownloadError(f"{record_url}: {file['key']} has checksum {file['checksum']!r}, expected md5:...")
            files[file["key"]] = (file["links"]["self"], checksum)
    except (KeyError, TypeError, AttributeError) as error:
        raise DownloadError(f"{record_url} is not a Zenodo record: files with key, checksum, links.self.") from error
    return files


def _fetch(url: str, md5: str, target: Path) -> bool:
    """Download the file unless it exists; return whether anything was downloaded."""
    from monai.apps.utils import HashCheckError, check_hash, download_url  # slow to import, and rarely needed

    if target.is_file() and check_hash(target, md5, "md5"):
        return False
    try:
        with atomic_path(target) as temporary:
            download_url(url, temporary, hash_val=md5, hash_type="md5")
    except HashCheckError as error:
        raise DownloadError(
            f"{url}: the md5 is not {md5} as its record promises. Nothing was kept; try again, or another mirror."
        ) from error
    # MONAI ignores a denied permission; then there is no file to move to its final name.
    except (OSError, HTTPException, RuntimeError) as error:
        raise DownloadError(f"{url} cannot be downloaded to {target}: {error}.") from error
    return True


def _check_members(archive: Path) -> None:
    """Read every member once, because an error while unpacking may not name the member.

    Raises:
        DownloadError: A member is encrypted, damaged, or compressed in a way that Python does not support.
        BadZipFile: The file is not an archive.
    """
    with ZipFile(archive) as content:
        for member in content.infolist():
            try:
                with content.open(member) as file:
                    while file.read(_CHUNK_BYTES):
                        pass
            # RuntimeError: encrypted, or (NotImplementedError) an unknown compression. The others: damaged.
            except (RuntimeError, BadZipFile, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise DownloadError(
                    f"{archive} cannot be unpacked: its member {member.filename} cannot be read ({error}). Nothing of "
                    f"it was kept; unpack it with another program into {archive.with_suffix('')}."
                ) from error


def _unpack(archive: Path) -> None:
    """Unpack NAME.zip, which contains a folder NAME, to NAME/ next to it, completely or not at all."""
    from monai.apps.utils import extractall  # slow to import, and rarely needed

    target = archive.with_suffix("")
    # In the same folder, so that the move is atomic.
    with TemporaryDirectory(dir=archive.parent, prefix=f".{target.name}-") as temporary:
        try:
            _check_members(archive)
            extractall(archive, temporary, has_base=False)
        except (ValueError, OSError, BadZipFile) as error:
            raise DownloadError(f"{archive} cannot be unpacked: {error}. Nothing of it was kept.") from error
        unpacked = Path(temporary) / target.name
        if not unpacked.is_dir():
            raise DownloadError(f"{archive} holds no folder {target.name}/. Nothing of it was kept.")
        if target.exists():
            shutil.rmtree(target)
        unpacked.replace(target)
