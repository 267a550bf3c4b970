"""Frames of any sizes as one batch of a network: what comes before and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.measurement.head_result import HeadResult
from fetal_monai.measurement.measure_output import measure_output
from fetal_monai.runtimes import Runtime
from fetal_monai.runtimes.resize import resize


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Frames at the size of a network, without their own pixels.

    Attributes:
        inputs: (N, 1, h, w), the gray levels of the N frames that are usable.
        shapes: (H, W) of every frame.
        scales: The scale of every frame.
        problems: What is wrong with each frame; None for the usable ones.
    """

    inputs: NDArray[Any]
    shapes: Sequence[tuple[int, ...]]
    scales: Sequence[FrameScale]
    problems: Sequence[str | None]

    @classmethod
    def of(
        cls, frames: Sequence[NDArray[Any]], scales: Sequence[FrameScale], spatial_size: tuple[int, int]
    ) -> FrameBatch:
        """Resize frames for a network.

        Args:
            frames: Gray levels (H, W) of each frame.
            scales: The scale of each frame.
            spatial_size: (h, w) of the network.
        """
        problems = [_problem(frame) for frame in frames]
        usable = [resize(frame, spatial_size) for frame, wrong in zip(frames, problems, strict=True) if wrong is None]
        inputs = np.stack(usable)[:, np.newaxis] if usable else np.empty((0, 1, *spatial_size), np.float32)
        return cls(inputs, [np.shape(frame) for frame in frames], scales, problems)

    def probabilities(self, runtime: Runtime) -> NDArray[np.float32]:
        """Run the network: (N, h, w), the head's probability, 0..1."""
        return runtime(self.inputs) if len(self.inputs) else self.inputs[:, 0]

    def results(self, probabilities: NDArray[np.float32]) -> list[HeadResult]:
        """Measure the heads in the network's output: one result for every frame."""
        maps: Iterator[NDArray[np.float32]] = iter(probabilities)
        results = []
        for shape, scale, problem in zip(self.shapes, self.scales, self.problems, strict=True):
            if problem is not None:
                results.append(HeadResult(FailedEstimate(problem), shape, scale))
                continue
            probability, (height, width) = next(maps), shape
            head = measure_output(probability, (height, width), scale.pixel_spacing_mm, scale.ultrasound_regions)
            results.append(HeadResult(head, shape, scale, probability))
        return results


def _problem(frame: Any) -> str | None:
    """What is wrong with a frame and how to fix it."""
    if not isinstance(frame, np.ndarray) or frame.dtype.kind not in "uif":
        kind = frame.dtype if isinstance(frame, np.ndarray) else type(frame).__name__
        return f"a frame must be a NumPy array of gray levels (integers or floats), got {kind}."
    if frame.ndim != 2 or not frame.size:
        return (
            f"a frame must be gray levels (H, W), got an array of shape {frame.shape}. Convert colour to gray; give "
            "several frames as a list or an iterator of arrays."
        )
    lowest, highest = frame.min(), frame.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        count = np.count_nonzero(~np.isfinite(frame))
        return f"{count} of {frame.size} pixels are NaN or infinite; expected finite gray levels."
    return f"every pixel is {lowest:g}: no image content." if lowest == highest else None
