"""Size of a fetal head in millimetres from its mask or its drawn outline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry.ellipse import Ellipse, fit_ellipse
from fetal_monai.biometry.quality import MeasurementQuality
from fetal_monai.biometry.region import head_region, outline_points
from fetal_monai.failed_estimate import FailedEstimate

# Below this the axes of an ellipse are uncertain by several per cent; no head on a frame is that small.
_MIN_AREA_PX = 50
# Overlap of the mask with its fitted ellipse: 0.83 for a square, 0.98 for a head outlined by hand.
_MIN_OVERLAP_WITH_ELLIPSE = 0.88
# With less of the ellipse on the frame, the hidden part is guessed, not measured.
_MIN_VISIBLE_OUTLINE = 0.5
# A drawn line is a few pixels wide; pixels further from the ellipse (root mean square) do not form such a line.
_MAX_LINE_DEVIATION_PX = 2.0
_MAX_LINE_DEVIATION_OF_RADIUS = 0.02


@dataclass(frozen=True, slots=True)
class HeadMeasurement:
    """The ellipse of a fetal head and the sizes read from it.

    Attributes:
        ellipse_px: The ellipse on the image, in px.
        pixel_spacing_mm: (row spacing, column spacing) in mm, or None when unknown.
        unscaled_reason: The reason why the spacing is unknown, if there is more to report than that it is missing.
        quality: Figures by which the ellipse can be judged, see `measurement_quality`; None if it was not judged.

    Raises:
        ValueError: The spacing is not two positive finite numbers, or a size in mm is requested without a spacing.
    """

    ellipse_px: Ellipse
    pixel_spacing_mm: tuple[float, float] | None = None
    unscaled_reason: str | None = None
    quality: MeasurementQuality | None = None

    def __post_init__(self) -> None:
        if self.pixel_spacing_mm is None:
            return
        spacing = tuple(float(value) for value in self.pixel_spacing_mm)
        if len(spacing) != 2 or not all(math.isfinite(value) and value > 0 for value in spacing):
            raise ValueError(
                "pixel_spacing_mm must be two positive finite numbers (row spacing, column spacing) in mm, "
                f"got {self.pixel_spacing_mm}; pass None when it is unknown."
            )
        object.__setattr__(self, "pixel_spacing_mm", spacing)

    @property
    def doubts(self) -> list[str]:
        """Why the measurement should be checked by eye, one phrase each; empty if there is no reason."""
        return self.quality.doubts if self.quality else []

    @property
    def ellipse_mm(self) -> Ellipse:
        """The ellipse in mm; origin at the centre of the top left pixel."""
        if self.pixel_spacing_mm is None:
            raise ValueError(
                "The pixel spacing of this frame is unknown, so it cannot be measured in millimetres. "
                "Give pixel_spacing_mm=(row, column), from the image's header or a table."
            )
        row_spacing, column_spacing = self.pixel_spacing_mm
        return self.ellipse_px.scaled(x_scale=column_spacing, y_scale=row_spacing)

    @property
    def head_circumference_mm(self) -> float:
        """HC: the perimeter of the ellipse."""
        return self.ellipse_mm.perimeter

    @property
    def biparietal_diameter_mm(self) -> float:
        """BPD, outer to outer: the short axis of the ellipse."""
        return 2 * self.ellipse_mm.semi_axis_b

    @property
    def occipitofrontal_diameter_mm(self) -> float:
        """OFD, outer to outer: the long axis of the ellipse."""
        return 2 * self.ellipse_mm.semi_axis_a


def measure_head(
    mask: NDArray[Any], pixel_spacing_mm: tuple[float, float] | None = None
) -> HeadMeasurement | FailedEstimate:
    """Fit an ellipse to the head in a mask.

    The holes of the largest connected component are filled. Its outline runs half-way between the pixels inside and
    the pixels outside, and an ellipse is fitted to it. Where the head extends beyond the border of the frame, the
    border is not part of the outline, so the complete head is measured.

    Args:
        mask: (H, W); values above 0.5 are foreground (bool, 0/1, 0/255 or a probability).
        pixel_spacing_mm: (row spacing, column spacing) in mm, None when unknown.

    Returns:
        The measurement, or a `FailedEstimate` with a reason that a sonographer understands: no head, too small, two
        heads, no ellipse, mostly outside the frame.

    Raises:
        ValueError: `mask` is not 2-D, or the spacing is not two positive finite numbers.
    """
    pixels = _image_2d(mask, "mask")
    if not np.isfinite(pixels).all():
        return FailedEstimate("the mask contains values that are not finite numbers (NaN or infinity)")
    return _measure((pixels > 0.5).astype(np.float32), pixels.shape, pixel_spacing_mm)


def measure_head_in_probability(
    probability: NDArray[Any], frame_shape: tuple[int, int], pixel_spacing_mm: tuple[float, float] | None = None
) -> HeadMeasurement | FailedEstimate:
    """Fit an ellipse to the head in a network's output, without bringing the output to the size of the frame first.

    The same as `measure_head`, but the outline runs where the interpolated probability is 0.5. Its points are scaled to
    the frame's pixels before the ellipse is fitted to them. As in `torch.nn.functional.interpolate` with
    `align_corners=False`, the map and the frame share their edges, not their outermost pixel centres.

    Args:
        probability: (h, w), the head's probability, 0..1.
        frame_shape: (H, W) of the frame.
        pixel_spacing_mm: (row spacing, column spacing) of the frame in mm, None when unknown.

    Returns:
        The measurement on the frame, or a `FailedEstimate`, as `measure_head`.

    Raises:
        ValueError: `probability` is not 2-D, or the spacing is not two positive finite numbers.
    """
    pixels = _image_2d(probability, "probability map")
    finite = np.isfinite(pixels)
    if not finite.all():
        return FailedEstimate(
            f"{np.count_nonzero(~finite)} of {pixels.size} values in the network's output are NaN or infinite; "
            "check the weights and the precision"
        )
    return _measure(pixels, frame_shape, pixel_spacing_mm)


def _measure(
    probability: NDArray[Any], frame_shape: tuple[int, int], pixel_spacing_mm: tuple[float, float] | None
) -> HeadMeasurement | FailedEstimate:
    if not probability.size:
        return FailedEstimate("no head found: the mask is empty")
    (height, width), (map_height, map_width) = frame_shape, probability.shape
    x_scale, y_scale = width / map_width, height / map_height
    head = head_region(probability > 0.5, _MIN_AREA_PX / (x_scale * y_scale))
    if isinstance(head, FailedEstimate):
        return head
    points = outline_points(probability, head)
    if not len(points):
        return FailedEstimate("the mask fills the whole frame: no outline to measure")
    ellipse = fit_ellipse((points + 0.5) * [x_scale, y_scale] - 0.5)
    if not isinstance(ellipse, Ellipse):
        return ellipse

    filled = ellipse.on_resized(frame_shape, (map_height, map_width)).rasterise((map_height, map_width))
    overlap = np.count_nonzero(head & filled) / np.count_nonzero(head | filled)
    if overlap < _MIN_OVERLAP_WITH_ELLIPSE:
        return FailedEstimate(
            f"the mask is not the shape of a head: it shares {overlap:.0%} with its best ellipse, "
            f"expected at least {_MIN_OVERLAP_WITH_ELLIPSE:.0%}"
        )
    outline = ellipse.points()
    on_frame = ((outline > -0.5) & (outline < [width - 0.5, height - 0.5])).all(axis=1)
    if on_frame.mean() < _MIN_VISIBLE_OUTLINE:
        return FailedEstimate(f"most of the head is outside the frame: {on_frame.mean():.0%} of its outline is visible")
    return HeadMeasurement(ellipse, pixel_spacing_mm)


def ellipse_from_outline(outline: NDArray[Any]) -> Ellipse | FailedEstimate:
    """Fit an ellipse through the middle of a thin closed line, such as HC18's annotations.

    All pixels of the line are used, from its inner to its outer edge, so the ellipse runs through the centre of the
    line. Filling the line instead would add half its width on either side.

    Args:
        outline: (H, W); values above half of the largest value are the line.

    Returns:
        The ellipse in px, or a `FailedEstimate` if there is no line or it is not an ellipse.

    Raises:
        ValueError: `outline` is not 2-D.
    """
    pixels = _image_2d(outline, "outline")
    if not np.isfinite(pixels).all():
        return FailedEstimate("the outline contains values that are not finite numbers (NaN or infinity)")
    rows, columns = np.nonzero(pixels > pixels.max(initial=0) / 2)
    if not len(rows):
        return FailedEstimate("no line is drawn: the outline is empty")
    ellipse = fit_ellipse(np.stack([columns, rows], axis=1))
    if not isinstance(ellipse, Ellipse):
        return ellipse

    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    dx, dy = columns - ellipse.center_x, rows - ellipse.center_y
    relative_radius = np.hypot((dx * cos + dy * sin) / ellipse.semi_axis_a, (dy * cos - dx * sin) / ellipse.semi_axis_b)
    radius = math.sqrt(ellipse.semi_axis_a * ellipse.semi_axis_b)
    deviation = radius * math.sqrt(np.mean((relative_radius - 1) ** 2))
    if deviation > max(_MAX_LINE_DEVIATION_PX, _MAX_LINE_DEVIATION_OF_RADIUS * radius):
        return FailedEstimate(
            f"the outline is not one thin ellipse: its pixels are {deviation:.1f} px off the best one"
        )
    return ellipse


def _image_2d(image: NDArray[Any], name: str) -> NDArray[Any]:
    image = np.asarray(image)
    if image.ndim != 2:
        raise ValueError(f"The {name} must be 2-D (H, W), got shape {image.shape}.")
    return image
