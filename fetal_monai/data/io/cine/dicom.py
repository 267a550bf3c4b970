"""Cine loops in DICOM."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import pydicom
from pydicom.pixels import iter_pixels

from fetal_monai.data.io.cine.loop import Cine, CineError, Decoded
from fetal_monai.data.io.compressed import check_deflated_dicom
from fetal_monai.data.io.decoding import decoding
from fetal_monai.data.io.dicom import check_decoder, dicom_gray, dicom_spacing
from fetal_monai.data.io.dicom_study import read_study
from fetal_monai.data.io.pixel_limit import check_pixel_count


def open_dicom_cine(path: Path) -> Cine:
    """Open a DICOM file of one or more frames.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, has no pixels or too many, or is compressed in a way that cannot be decoded.
    """
    with decoding(path):
        check_deflated_dicom(path)
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        if "Rows" not in dataset:
            kind = dataset.get("Modality", "unknown modality")
            raise CineError(f"{path}: a DICOM file without pixels ({kind}); export the loop itself.")
        check_pixel_count(path, dataset.Rows, dataset.Columns)
        check_decoder(path, dataset)
        frame_count = int(dataset.get("NumberOfFrames") or 1)
        rate_hz = _frame_rate_hz(dataset)
        times_s = _frame_times_s(dataset, frame_count, rate_hz)
        spacing, regions = dicom_spacing(dataset)
        study = read_study(dataset)

    def decode() -> Iterator[Decoded]:
        # Given a path, pydicom keeps only one frame at a time in memory.
        for time_s, values in zip(times_s, iter_pixels(path), strict=False):
            yield dicom_gray(values, dataset), time_s

    return Cine(path, decode, frame_count, rate_hz, spacing, regions, study)


def _frame_rate_hz(dataset: pydicom.Dataset) -> float | None:
    """Frames per second (DICOM PS3.3 C.7.6.5, Cine Module)."""
    if frame_time_ms := _positive(dataset.get("FrameTime")):
        return 1000 / frame_time_ms
    increments_ms = _increments_ms(dataset)
    if sum(increments_ms) > 0:
        return 1000 * (len(increments_ms) - 1) / sum(increments_ms)
    return _positive(dataset.get("CineRate")) or _positive(dataset.get("RecommendedDisplayFrameRate"))


def _frame_times_s(dataset: pydicom.Dataset, frame_count: int, rate_hz: float | None) -> Sequence[float | None]:
    increments_ms = _increments_ms(dataset)
    if len(increments_ms) == frame_count and not _positive(dataset.get("FrameTime")):
        return [time_ms / 1000 for time_ms in accumulate(increments_ms)]
    return [index / rate_hz if rate_hz else None for index in range(frame_count)]


def _increments_ms(dataset: pydicom.Dataset) -> list[float]:
    """Time between each frame and the previous one, if stated; for the first frame it is 0 by definition."""
    stated = dataset.get("FrameTimeVector")
    # pydicom returns a vector of one value as that value.
    return [0.0, *map(float, stated[1:])] if isinstance(stated, Sequence) and not isinstance(stated, str) else []


def _positive(value: float | str | None) -> float | None:
    number = float(value or 0)
    return number if math.isfinite(number) and number > 0 else None
