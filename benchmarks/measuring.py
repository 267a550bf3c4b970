"""From files to head circumferences on an engine: one frame after the other, in batches, and each step alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import Workload
from fetal_monai.biometry import fit_ellipse, measure_head_in_probability
from fetal_monai.biometry.region import head_region, outline_points
from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.measurement import HeadMeasurer, HeadResult
from fetal_monai.measurement.prefetch import prefetched
from fetal_monai.runtimes import Runtime
from fetal_monai.runtimes.resize import resize

BATCH_SIZES = (1, 2, 4, 8)


def one_by_one(measurer: HeadMeasurer, frames: Workload) -> dict[str, float | None]:
    """Measure each frame before the next one is decoded; returns HC in mm by the file's name."""
    return {
        frame.file.name: measurer(frame.frame.pixels, frame.scale.pixel_spacing_mm).head_circumference_mm
        for frame in frames.source()
        if isinstance(frame, SourceFrame)
    }


def in_batches(measurer: HeadMeasurer, frames: Workload) -> list[HeadResult]:
    """Measure in the measurer's batches, while a second thread decodes the next frames."""
    decoded = prefetched(frames.source(), depth=2 * measurer.batch_size)
    pixels = (frame.frame.pixels for frame in decoded if isinstance(frame, SourceFrame))
    return list(measurer(pixels))


def steps(frames: Workload, runtime: Runtime, size: tuple[int, int]) -> dict[str, Callable[[], object]]:
    """What is done to all frames apart from the network: each step alone, on what the one before it gives.

    Args:
        frames: The frames.
        runtime: Gives the probabilities from which the contours are taken.
        size: (H, W) of the network.
    """
    decoded = [frame.frame.pixels for frame in frames.decoded()]
    shapes = [(pixels.shape[0], pixels.shape[1]) for pixels in decoded]
    maps = [runtime(resize(pixels, size)[np.newaxis, np.newaxis])[0] for pixels in decoded]
    contours = [contour for contour in map(_contour, maps) if len(contour)]
    return {
        "decode": frames.decoded,
        "resize": lambda: [resize(pixels, size) for pixels in decoded],
        "contour": lambda: [_contour(probability) for probability in maps],
        "ellipse": lambda: [fit_ellipse(points) for points in contours],
        "contour, ellipse and checks": lambda: [
            measure_head_in_probability(probability, shape) for probability, shape in zip(maps, shapes, strict=True)
        ],
    }


def network_inputs(frames: Workload, size: tuple[int, int]) -> dict[int, list[NDArray[np.float32]]]:
    """The frames as the network gets them, in batches of each of `BATCH_SIZES`."""
    gray = np.stack([resize(frame.frame.pixels, size) for frame in frames.decoded()])[:, np.newaxis]
    return {count: [gray[first : first + count] for first in range(0, len(gray), count)] for count in BATCH_SIZES}


def network(runtime: Runtime, batches: Sequence[NDArray[np.float32]]) -> None:
    """The network alone."""
    for gray in batches:
        runtime(gray)


def _contour(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    region = head_region(probability > 0.5, min_area_px=1)
    return np.empty((0, 2)) if isinstance(region, FailedEstimate) else outline_points(probability, region)
