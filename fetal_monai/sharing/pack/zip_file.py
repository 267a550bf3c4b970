"""A zip that is the same, byte for byte, whoever writes it, when and where."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from fetal_monai.files import atomic_path

_EARLIEST = 315532800  # 1980-01-01: a zip knows no earlier date


def write_zip(path: Path, files: Mapping[str, Path | bytes]) -> None:
    """Write files into a zip.

    They are stored as they are: what a compressor makes of them depends on its version, and weights and pictures
    would hardly get smaller. All carry the date 1980-01-01, or that of SOURCE_DATE_EPOCH.

    Args:
        path: of the zip.
        files: by their name in the zip: a file to copy, or content.
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
