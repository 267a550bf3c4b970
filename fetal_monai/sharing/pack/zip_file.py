"""Write reproducible zips: identical, byte for byte, on every machine and at any time."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from fetal_monai.files import atomic_path

_EARLIEST = 315532800  # 1980-01-01, the earliest date in a zip


def write_zip(path: Path, files: Mapping[str, Path | bytes]) -> None:
    """Write files into a zip.

    They are stored uncompressed: the output of a compressor depends on its version, and weights and images would
    hardly get smaller. All have the date 1980-01-01, or that of SOURCE_DATE_EPOCH.

    Args:
        path: Path of the zip.
        files: By name in the zip, a file to copy or its content.
    """
    date = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", _EARLIEST)), _EARLIEST))[:6]
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, source in sorted(files.items()):
            member = zipfile.ZipInfo(name, date)
            member.create_system = 3  # Unix, wherever this runs
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.file_size = len(source) if isinstance(source, bytes) else source.stat().st_size
            with archive.open(member, "w") as target:
                if isinstance(source, bytes):
                    target.write(source)
                else:
                    with source.open("rb") as stream:
                        shutil.copyfileobj(stream, target)
