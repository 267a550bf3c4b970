"""Measure the frames of files: decoding in one thread, the engine in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.data.rejected import Rejected
from fetal_monai.measurement.head_measurer import HeadMeasurer
from fetal_monai.measurement.head_result import HeadResult
from fetal_monai.measurement.prefetch import prefetched


@dataclass(frozen=True, slots=True)
class MeasuredFrame:
    """A frame of a file and its measurement.

    Attributes:
        source: The frame.
        result: Its measurement.
    """

    source: SourceFrame
    result: HeadResult

    @property
    def file(self) -> Path:
        """The frame's file."""
        return self.source.file


def measure_frames(
    frames: Iterable[SourceFrame | Rejected], measurer: HeadMeasurer
) -> Iterator[MeasuredFrame | Rejected]:
    """Measure frames in batches. What waits in memory does not grow with the number of frames.

    Args:
        frames: The frames, such as a `FrameSource`; they are taken in a second thread.
        measurer: Measures them, `measurer.batch_size` at once.

    Yields:
        Each frame with its measurement, and each `Rejected` as it is, in the order of `frames`.
    """
    reading = prefetched(frames, depth=2 * measurer.batch_size)
    try:
        for batch in in_batches(reading, measurer.batch_size):
            frames = frames_of(batch)
            results = measurer.measure([each.frame.pixels for each in frames], [each.scale for each in frames])
            yield from with_results(batch, results)
    finally:
        reading.close()


def in_batches(items: Iterable[SourceFrame | Rejected], batch_size: int) -> Iterator[list[SourceFrame | Rejected]]:
    """Group items in their order, with `batch_size` frames in each group but the last; a `Rejected` is no frame."""
    waiting: list[SourceFrame | Rejected] = []
    frames = 0
    for item in items:
        waiting.append(item)
        frames += isinstance(item, SourceFrame)
        if frames == batch_size:
            yield waiting
            waiting, frames = [], 0
    if waiting:
        yield waiting


def frames_of(items: Iterable[SourceFrame | Rejected]) -> list[SourceFrame]:
    """Return the frames among the items of a batch."""
    return [item for item in items if isinstance(item, SourceFrame)]


def with_results(
    items: Iterable[SourceFrame | Rejected], results: Iterable[HeadResult]
) -> Iterator[MeasuredFrame | Rejected]:
    """Give each frame of a batch its result; a `Rejected` stays as it is."""
    following = iter(results)
    for item in items:
        yield item if isinstance(item, Rejected) else MeasuredFrame(item, next(following))
