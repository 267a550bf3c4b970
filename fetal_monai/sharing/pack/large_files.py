"""Files that are too large to be packed and that a bundle downloads instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fetal_monai.files.checksum import file_sha256
from fetal_monai.sharing.audit.bundle_files import Bundle
from fetal_monai.sharing.pack.pack_result import LargeFile, PackError

MAX_FILE_BYTES = 25 * 2**20
"""The model zoo accepts no larger files."""

_LIST = re.compile(r"large_files.*\.(yml|yaml|json)")  # as monai.bundle download_large_files finds it


def is_list(name: str) -> bool:
    """Return whether this is the name of a list of large files."""
    return _LIST.fullmatch(name) is not None


def listed(configs: Mapping[str, Any]) -> Iterator[LargeFile]:
    """Iterate over the large files that a bundle lists.

    Args:
        configs: Parsed content by file name.

    Raises:
        PackError: If a list does not have the expected form.
    """
    for name, content in configs.items():
        if is_list(name):
            try:
                for entry in content["large_files"]:
                    yield LargeFile(entry["path"], entry["url"], entry["hash_val"].lower())
            except (TypeError, KeyError, AttributeError) as error:
                raise PackError(
                    f"{name}: expected `large_files`, a list of entries with path, url, hash_val and hash_type "
                    f"({error!r})."
                ) from error


def check(folder: Path, bundle: Bundle, large_files: Mapping[str, LargeFile]) -> None:
    """Check that large files are listed, and that listed files have the stated checksum.

    Args:
        folder: Folder of the bundle.
        bundle: Its files that would be packed.
        large_files: Listed files by name.

    Raises:
        PackError: If a file fails the check; the message names the first one.
    """
    for file in bundle.files:
        path = folder / file.name
        if file.name in large_files:
            stated = large_files[file.name].sha256
            if (found := file_sha256(path)) != stated:
                raise PackError(
                    f"{path} has the SHA-256 {found}, but the list of large files states {stated}: publish this file "
                    "and update the list, or download the published file."
                )
        elif file.size > MAX_FILE_BYTES:
            raise PackError(
                f"{path} has {file.size / 2**20:.1f} MiB; the model zoo accepts {MAX_FILE_BYTES // 2**20}. Publish it "
                "and list it in large_files.yml with path, url, hash_val and hash_type."
            )
