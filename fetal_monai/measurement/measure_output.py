"""From a network's output to the measurement: what bundles and engines share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from fetal_monai.biometry import HeadMeasurement, measure_head_in_probability, measurement_quality
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import UltrasoundRegion, spacing_at


def measure_output(
    probability: NDArray[Any],
    frame_shape: tuple[int, int],
    pixel_spacing_mm: tuple[float, float] | None = None,
    ultrasound_regions: Sequence[UltrasoundRegion] = (),
) -> HeadMeasurement | FailedEstimate:
    """Measure the head in a network's output, with the figures by which the measurement may be doubted.

    Args:
        probability: (h, w), the head's probability, 0..1, at any size.
        frame_shape: (H, W) of the frame.
        pixel_spacing_mm: (row, column) spacing of the frame, None when unknown.
        ultrasound_regions: Regions of the frame. If there are any, the spacing is that of the region that contains the
            ellipse, and `pixel_spacing_mm` is not used.

    Returns:
        The measurement on the frame with its quality, or a `FailedEstimate`.
    """
    head = measure_head_in_probability(probability, frame_shape)
    if not isinstance(head, HeadMeasurement):
        return head
    head = scaled_at_its_place(head, frame_shape, pixel_spacing_mm, ultrasound_regions)
    on_map = head.ellipse_px.on_resized(frame_shape, (probability.shape[0], probability.shape[1]))
    return replace(head, quality=measurement_quality(probability, on_map))


def scaled_at_its_place(
    head: HeadMeasurement,
    frame_shape: tuple[int, int],
    pixel_spacing_mm: tuple[float, float] | None,
    ultrasound_regions: Sequence[UltrasoundRegion],
) -> HeadMeasurement:
    """Give a measurement the pixel spacing that the frame has where its ellipse is.

    Args:
        head: The measurement, in px.
        frame_shape: See `measure_output`, as for the other arguments.
        pixel_spacing_mm: See there.
        ultrasound_regions: See there.
    """
    if not ultrasound_regions:
        return replace(head, pixel_spacing_mm=pixel_spacing_mm)
    spacing = spacing_at(head.ellipse_px, ultrasound_regions, frame_shape)
    if isinstance(spacing, FailedEstimate):
        return replace(head, unscaled_reason=spacing.reason)
    return replace(head, pixel_spacing_mm=spacing)
