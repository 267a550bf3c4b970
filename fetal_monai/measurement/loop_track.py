"""The head circumference along a cine loop, and the frame to report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.failed_estimate import FailedEstimate

MEDIAN_FRAMES = 9
"""Frames over which the track is smoothed: a third of a second of a usual loop."""
MAX_DEVIATION = 0.03
"""A frame that deviates more from the track than this fraction is not stable; two observers differ by about 1 %."""


def smoothed_track(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Smooth a measurement along a loop by a moving median, which single wrong frames do not change.

    Args:
        values: One per frame in order; None where the frame has none.

    Returns:
        One per frame; NaN where the frame has none. Frames without a value are left out before the smoothing.
    """
    track = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    known = np.isfinite(track)
    if known.any():
        track[known] = median_filter(track[known], size=min(MEDIAN_FRAMES, int(known.sum())), mode="nearest")
    return track


def frame_to_report(values: Sequence[float | None], is_certain: Sequence[bool]) -> int | None:
    """Choose the frame of a loop whose measurement to report: the largest head with a stable ellipse.

    The plane of the head circumference is the largest section of the head that a sweep through it meets. A frame is
    eligible if its measurement is certain and within `MAX_DEVIATION` of the smoothed track. Of these, the one with the
    largest smoothed value is chosen, and of several with it, the one that is nearest to the track.

    Args:
        values: A measurement of each frame in order; None where the frame has none.
        is_certain: Whether it raises no doubt.

    Returns:
        The place of the frame; None if no frame is eligible.
    """
    track = smoothed_track(values)
    deviations = [np.inf if value is None else abs(value - at) / at for value, at in zip(values, track, strict=True)]
    eligible = [
        index
        for index, (deviation, certain) in enumerate(zip(deviations, is_certain, strict=True))
        if certain and deviation <= MAX_DEVIATION
    ]
    return max(eligible, key=lambda index: (track[index], -deviations[index]), default=None)


def perimeters_px(heads: Iterable[HeadMeasurement | FailedEstimate]) -> list[float | None]:
    """Return the perimeter of each ellipse in pixels of its frame; None where a frame failed."""
    return [head.ellipse_px.perimeter if isinstance(head, HeadMeasurement) else None for head in heads]


def proposed_frame(heads: Mapping[int, HeadMeasurement | FailedEstimate], statuses: Sequence[str]) -> int | None:
    """Choose the frame of a loop whose measurement to report, see `frame_to_report`. No pixel spacing is needed.

    Args:
        heads: The measurement of each frame in order, by its place in the loop.
        statuses: The status of each, see `fetal_monai.measurement.HeadResult.status`.

    Returns:
        The place of the frame in the loop; None if no frame is eligible.
    """
    certain = [status in ("measured", "unscaled") for status in statuses]
    chosen = frame_to_report(perimeters_px(heads.values()), certain)
    return None if chosen is None else list(heads)[chosen]
