"""What is to be measured: the files of a folder, or those that a manifest lists."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fetal_monai.cohort.manifest import MANIFEST_SUFFIXES, read_manifest
from fetal_monai.cohort.remote_files import RemoteFiles, is_address, remote_frame_files
from fetal_monai.cohort.schema import LABEL_COLUMNS
from fetal_monai.data.frame_scale import AGE_COLUMN, FILENAME_COLUMN, SPACING_COLUMNS, FrameScales
from fetal_monai.data.frame_source import FrameSource, open_frame_source
from fetal_monai.data.unusable_names import unusable_names
from fetal_monai.reporting.report_files import frame_name


@dataclass(frozen=True)
class CohortSource:
    """Files in their order, with what is known of them.

    Attributes:
        frames: The files.
        labels: The patient and the exam of files, as a manifest states them.
        sha256: Checksum of the list and of what is known.
    """

    frames: FrameSource
    labels: Mapping[str, Mapping[str, str]]
    sha256: str

    def label(self, file: str) -> Mapping[str, str]:
        """Return the patient and the exam of a file by its name in the table, as far as they are known."""
        return self.labels.get(file, {})

    def remove_copies(self) -> None:
        """Remove what processes that were killed left of retrieved files on this machine."""
        if self.frames.retrieve is not None:
            shutil.rmtree(self.frames.source_dir, ignore_errors=True)


def open_cohort(
    source: str, *, pixel_spacing_mm: float | Sequence[float] | None = None, override_pixel_spacing: bool = False
) -> CohortSource:
    """List the files; none is opened yet.

    Args:
        source: A folder, searched with its subfolders; or a manifest, a CSV or Parquet table with a row for each file:
            its name relative to the manifest's folder, and if known its pixel spacing and dating (see `FrameScales`),
            patient and exam. Either may be an address that fsspec opens, such as `s3://bucket/exams`.
        pixel_spacing_mm: Of the files for which nothing else states it, see `FrameScales`.
        override_pixel_spacing: See there.

    Raises:
        OSError: There is no such folder or manifest, or the address cannot be read.
        ValueError: The folder holds no frame, or the manifest is none.
        ImportError: fsspec lacks the package for the kind of address.
    """
    scale: dict[str, Any] = {"pixel_spacing_mm": pixel_spacing_mm, "override_pixel_spacing": override_pixel_spacing}
    source = source.removeprefix("file://")
    is_manifest = PurePosixPath(source).suffix.lower() in MANIFEST_SUFFIXES and not Path(source).is_dir()
    if not is_address(source):
        path = Path(source).expanduser()
        return _from_manifest(path, None, scale) if is_manifest else _from_folder(open_frame_source([path], **scale))
    copies = Path(tempfile.gettempdir(), f"fetal_monai_{secrets.token_hex(8)}")
    if is_manifest:
        parent, _, name = source.rpartition("/")
        retrieve = RemoteFiles(parent, copies)
        retrieve(copies / name)
        return _from_manifest(copies / name, retrieve, scale)
    files = [copies / name for name in remote_frame_files(source)]
    unusable = unusable_names(files, copies)
    return _from_folder(
        FrameSource(files, copies, FrameScales(**scale), unusable=unusable, retrieve=RemoteFiles(source, copies))
    )


def _from_folder(frames: FrameSource) -> CohortSource:
    return CohortSource(frames, {}, _sha256(frame_name(file, frames.source_dir) for file in frames.files))


def _from_manifest(path: Path, retrieve: RemoteFiles | None, scale: dict[str, Any]) -> CohortSource:
    columns, rows = read_manifest(path)
    states_scale = bool({*SPACING_COLUMNS, AGE_COLUMN} & set(columns))
    scales = FrameScales(table=path if states_scale else None, **scale)
    source_dir = path.parent
    files = [source_dir / row[FILENAME_COLUMN] for row in rows]
    scales.match(files, source_dir)
    labels = {
        frame_name(file, source_dir): {name: row[name] for name in LABEL_COLUMNS if row.get(name)}
        for file, row in zip(files, rows, strict=True)
    }
    frames = FrameSource(files, source_dir, scales, unusable=unusable_names(files, source_dir), retrieve=retrieve)
    return CohortSource(frames, labels, _sha256(repr(sorted(row.items())) for row in rows))


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
