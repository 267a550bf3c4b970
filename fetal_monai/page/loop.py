"""The measurement of every frame of a loop."""

from __future__ import annotations

from typing import Any

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.measurement import HeadResult
from fetal_monai.measurement.loop_track import frame_to_report, smoothed_track
from fetal_monai.page.annotation import EllipseValues
from fetal_monai.page.workspace import Workspace

_CERTAIN = ("measured", "unscaled")


def measured_loop(workspace: Workspace, identifier: str) -> dict[str, Any]:
    """Measure all frames of a file with the network.

    Returns:
        The unit ("mm", or "px" without a scale); of each frame the "circumference", the "smoothed" one and the
        "ellipses", None where there is none; and the "proposed" frame, None if there is none.

    Raises:
        UnknownFileError: There is no such file.
        FrameError: It cannot be read.
    """
    file = workspace.open(identifier)
    results: list[HeadResult | None] = [None] * len(file.frames)
    shown = [index for index, frame in enumerate(file.frames) if not isinstance(frame, str)]
    scale = workspace.scale(identifier, file, workspace.annotation(identifier, 0).scale)
    for index, result in zip(shown, workspace.measuring.results(file, scale, shown), strict=True):
        results[index] = result
    heads = [result.head if result and isinstance(result.head, HeadMeasurement) else None for result in results]
    has_scale = any(head and head.pixel_spacing_mm for head in heads)
    perimeters_px = [head.ellipse_px.perimeter if head else None for head in heads]
    values = [_millimetres(head) for head in heads] if has_scale else perimeters_px
    smoothed = smoothed_track(values)
    return {
        "unit": "mm" if has_scale else "px",
        "circumference": values,
        "smoothed": [None if value != value else value for value in smoothed.tolist()],
        "ellipses": [None if head is None else EllipseValues.of(head.ellipse_px).model_dump() for head in heads],
        "proposed": frame_to_report(
            perimeters_px, [result is not None and result.status in _CERTAIN for result in results]
        ),
    }


def _millimetres(head: HeadMeasurement | None) -> float | None:
    return head.head_circumference_mm if head and head.pixel_spacing_mm else None
