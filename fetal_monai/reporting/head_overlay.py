"""The measurement drawn on the frame, for checking by eye."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import find_contours

from fetal_monai.biometry import (
    Ellipse,
    HeadMeasurement,
    OutOfRangeError,
    format_gestational_age,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
)
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.reporting.annotated_picture import (
    QUIET_COLOUR,
    TEXT_COLOUR,
    WARNING_COLOUR,
    Line,
    Point,
    display_scale,
    draw_lines,
    font_size,
    with_caption,
)
from fetal_monai.reporting.gray_8_bit import gray_8_bit

MASK_COLOUR = (80, 200, 255)
ELLIPSE_COLOUR = (255, 196, 0)
REASON_WIDTH = 80  # letters that fit into a line of the caption in full size


def draw_overlay(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_] | None,
    head: HeadMeasurement | FailedEstimate,
    title: str,
    spacing_source: str = "",
) -> Image.Image:
    """Draw the mask's outline, the ellipse, its axes (OFD, BPD) and a caption on an enlarged frame.

    Args:
        pixels: The frame (H, W).
        mask: The head (H, W); None draws no outline.
        head: Its measurement.
        title: The frame's name.
        spacing_source: Where its pixel spacing is from, such as "header"; "" when unknown.
    """
    x_scale, y_scale = display_scale(pixels.shape, head.pixel_spacing_mm if head else None)
    size = (round(pixels.shape[1] * x_scale), round(pixels.shape[0] * y_scale))
    picture = Image.fromarray(gray_8_bit(pixels)).resize(size, Image.Resampling.BICUBIC).convert("RGB")

    # Pixel centres are integers in the frame's coordinates, and half integers in the enlarged picture's.
    def shown(points: Iterable[Sequence[float]]) -> list[Point]:
        return [((x + 0.5) * x_scale, (y + 0.5) * y_scale) for x, y in points]

    if mask is not None:
        outlines = [shown(contour[:, ::-1]) for contour in find_contours(np.pad(mask, 1).astype(float), 0.5)]
        outlines = [[(x - x_scale, y - y_scale) for x, y in outline] for outline in outlines]  # the padding again
        draw_lines(picture, outlines, MASK_COLOUR, width=1.5)
    if isinstance(head, HeadMeasurement):
        ellipse = head.ellipse_px.scaled(x_scale, y_scale)
        ellipse = Ellipse(
            ellipse.center_x + x_scale / 2,
            ellipse.center_y + y_scale / 2,
            ellipse.semi_axis_a,
            ellipse.semi_axis_b,
            ellipse.angle_rad,
        )
        _draw_ellipse(picture, ellipse)
    return with_caption(picture, _caption(head, title, spacing_source))


def _draw_ellipse(picture: Image.Image, ellipse: Ellipse) -> None:
    # Of an ellipse's evenly spaced points, the ends of the long and the short axis are a quarter apart.
    far, right, near, left = (tuple(point) for point in ellipse.points(4))
    outline = [tuple(point) for point in ellipse.points()]
    draw_lines(picture, [[*outline, outline[0]]], ELLIPSE_COLOUR, width=2)
    draw_lines(picture, [[far, near], [right, left]], ELLIPSE_COLOUR, width=1.5)
    for name, end, other in (("OFD", near, far), ("BPD", left, right)):
        _draw_label(picture, name, end, other)


def _draw_label(picture: Image.Image, text: str, end: Point, other: Point) -> None:
    """Put a name next to an axis, a little inside its end."""
    size = font_size(picture)
    along = np.array(other) - end
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
    x, y = np.array(end) + 0.14 * along + across * size
    draw = ImageDraw.Draw(picture)
    draw.text(
        (x, y), text, ELLIPSE_COLOUR, ImageFont.load_default(size), anchor="mm", stroke_width=2, stroke_fill=(0, 0, 0)
    )


def _caption(head: HeadMeasurement | FailedEstimate, title: str, spacing_source: str) -> list[Line]:
    legend = [(title, QUIET_COLOUR), ("mask", MASK_COLOUR), ("ellipse", ELLIPSE_COLOUR)]
    if not isinstance(head, HeadMeasurement):
        return [[("Not measured", WARNING_COLOUR)], [(head.reason, TEXT_COLOUR)], legend[:2]]
    check = textwrap.wrap(f"Check by eye: {', '.join(head.doubts)}", REASON_WIDTH) if head.doubts else []
    return [*([(line, WARNING_COLOUR)] for line in check), *_measured_caption(head, legend, spacing_source)]


def _measured_caption(head: HeadMeasurement, legend: Line, spacing_source: str) -> list[Line]:
    if head.pixel_spacing_mm is None:
        ellipse = head.ellipse_px
        axes = f"Axes {2 * ellipse.semi_axis_a:.1f} x {2 * ellipse.semi_axis_b:.1f} px"
        reason = textwrap.wrap(head.unscaled_reason or "", REASON_WIDTH)
        return [
            [("Pixel spacing unknown: no millimetres", WARNING_COLOUR)],
            *([(line, TEXT_COLOUR)] for line in reason),
            [(axes, TEXT_COLOUR)],
            legend,
        ]
    sizes = (
        f"HC {head.head_circumference_mm:.1f} mm",
        f"BPD {head.biparietal_diameter_mm:.1f} mm",
        f"OFD {head.occipitofrontal_diameter_mm:.1f} mm",
    )
    ages = (
        f"GA {_age(hadlock_gestational_age_days, head)} (Hadlock)",
        f"{_age(intergrowth_gestational_age_days, head)} (INTERGROWTH-21st)",
    )
    if spacing_source:
        legend.append((f"scale: {spacing_source}", QUIET_COLOUR))
    return [[(text, TEXT_COLOUR) for text in sizes], [(text, TEXT_COLOUR) for text in ages], legend]


def _age(standard: Callable[[float], float], head: HeadMeasurement) -> str:
    try:
        return format_gestational_age(standard(head.head_circumference_mm))
    except OutOfRangeError:
        return "out of range"
