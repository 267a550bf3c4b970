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
        waiting: list[SourceFrame | Rejected] = []
        for item in reading:
            waiting.append(item)
            if sum(isinstance(each, SourceFrame) for each in waiting) == measurer.batch_size:
                yield from _measured(waiting, measurer)
                waiting = []
        yield from _measured(waiting, measurer)
    finally:
        reading.close()


def _measured(items: Iterable[SourceFrame | Rejected], measurer: HeadMeasurer) -> Iterator[MeasuredFrame | Rejected]:
    frames = [item for item in items if isinstance(item, SourceFrame)]
    results = iter(measurer.measure([each.frame.pixels for each in frames], [each.scale for each in frames]))
    for item in items:
        yield item if isinstance(item, Rejected) else MeasuredFrame(item, next(results))
