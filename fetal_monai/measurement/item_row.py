"""The row of a frame or a rejected file, with what tells it from the others."""

from __future__ import annotations

from pathlib import Path

from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement.measure_frames import MeasuredFrame
from fetal_monai.reporting.measurement_row import Row, failed_row
from fetal_monai.reporting.report_files import frame_name


def item_place(item: MeasuredFrame | Rejected, source_dir: Path) -> Row:
    """Return the file, the study and the frame's place in the file; the file's name is relative to `source_dir`."""
    name = {"file": frame_name(item.file, source_dir)}
    if isinstance(item, Rejected):
        return name | {"frame": item.frame}
    return name | dict(item.source.frame.study) | {"frame": item.source.index}


def item_row(item: MeasuredFrame | Rejected, source_dir: Path) -> Row:
    """Return the whole row, by the names in `MEASUREMENT_COLUMNS`."""
    values = failed_row(item.reason) if isinstance(item, Rejected) else item.result.row
    return item_place(item, source_dir) | values
