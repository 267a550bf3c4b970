"""What is to be measured: the files of a folder, or those that a manifest lists."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_monai.cohort.manifest import MANIFEST_SUFFIXES, read_manifest
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


def open_cohort(
    source: str, *, pixel_spacing_mm: float | Sequence[float] | None = None, override_pixel_spacing: bool = False
) -> CohortSource:
    """List the files; none is opened yet.

    Args:
        source: A folder, searched with its subfolders; or a manifest, a CSV or Parquet table with a row for each file:
            its name relative to the manifest's folder, and if known its pixel spacing and dating (see `FrameScales`),
            patient and exam.
        pixel_spacing_mm: Of the files for which nothing else states it, see `FrameScales`.
        override_pixel_spacing: See there.

    Raises:
        FileNotFoundError: There is no such folder or manifest.
        ValueError: The folder holds no frame, or the manifest is none.
    """
    path = Path(source).expanduser()
    if path.suffix.lower() in MANIFEST_SUFFIXES and not path.is_dir():
        return _from_manifest(path, pixel_spacing_mm, override_pixel_spacing)
    frames = open_frame_source([path], pixel_spacing_mm=pixel_spacing_mm, override_pixel_spacing=override_pixel_spacing)
    return CohortSource(frames, {}, _sha256(frame_name(file, frames.source_dir) for file in frames.files))


def _from_manifest(
    path: Path, pixel_spacing_mm: float | Sequence[float] | None, override_pixel_spacing: bool
) -> CohortSource:
    columns, rows = read_manifest(path)
    states_scale = bool({*SPACING_COLUMNS, AGE_COLUMN} & set(columns))
    scales = FrameScales(
        pixel_spacing_mm=pixel_spacing_mm,
        table=path if states_scale else None,
        override_pixel_spacing=override_pixel_spacing,
    )
    source_dir = path.parent
    files = [source_dir / row[FILENAME_COLUMN] for row in rows]
    scales.match(files, source_dir)
    labels = {
        frame_name(file, source_dir): {name: row[name] for name in LABEL_COLUMNS if row.get(name)}
        for file, row in zip(files, rows, strict=True)
    }
    frames = FrameSource(files, source_dir, scales, unusable=unusable_names(files, source_dir))
    return CohortSource(frames, labels, _sha256(repr(sorted(row.items())) for row in rows))


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
