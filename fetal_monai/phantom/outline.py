"""A closed, nearly elliptical line, and the distance and direction of points relative to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

Field = NDArray[np.float32]


class OutlineCoordinates(NamedTuple):
    """Positions of points relative to an outline.

    Attributes:
        distance: Distance from the outline, px, negative inside (first order, exact on a smooth ellipse).
        normal_x: Outward normal, component along the columns.
        normal_y: Outward normal, component along the rows.
        curve_angle: Parametric angle of the ellipse, rad in (-pi, pi].
    """

    distance: Field
    normal_x: Field
    normal_y: Field
    curve_angle: Field


@dataclass(frozen=True, slots=True)
class Outline:
    """An ellipse on the screen with small irregularities.

    Attributes:
        ellipse: The ellipse, px.
        ripple: Relative outward deviation around the curve; None for an exact ellipse.
    """

    ellipse: Ellipse
    ripple: ClosedCurveNoise | None = None

    def coordinates(self, x: Field, y: Field) -> OutlineCoordinates:
        """Positions of points (x, y), px, relative to the outline; x and y have the same shape."""
        e = self.ellipse
        cos, sin = np.float32(math.cos(e.angle_rad)), np.float32(math.sin(e.angle_rad))
        a, b = np.float32(e.semi_axis_a), np.float32(e.semi_axis_b)
        x, y = x - np.float32(e.center_x), y - np.float32(e.center_y)
        along, across = (x * cos + y * sin) / a, (y * cos - x * sin) / b
        level = np.maximum(np.hypot(along, across), np.float32(1e-3))
        curve_angle = np.arctan2(across, along)
        # First-order distance to the level set f = rim of f = hypot(along, across): (f - rim) / |grad f|.
        rim = 1 if self.ripple is None else 1 + self.ripple(curve_angle)
        slope_along, slope_across = along / a, across / b
        steepness = np.maximum(np.hypot(slope_along, slope_across), np.float32(1e-9))
        return OutlineCoordinates(
            distance=(level - rim) * level / steepness,
            normal_x=(slope_along * cos - slope_across * sin) / steepness,
            normal_y=(slope_along * sin + slope_across * cos) / steepness,
            curve_angle=curve_angle,
        )

    def coordinates_on(self, shape: tuple[int, int]) -> OutlineCoordinates:
        """Positions of the pixel centres of a screen (H, W) relative to the outline."""
        rows, columns = np.indices(shape, dtype=np.float32)
        return self.coordinates(columns, rows)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of a screen (H, W) whose centres are inside or on the outline."""
        mask = np.zeros(shape, dtype=bool)
        # Only the window around it is computed: an anatomy may have dozens of small outlines.
        reach = 1.15 * self.ellipse.semi_axis_a + 1
        top, left = (max(int(center - reach), 0) for center in (self.ellipse.center_y, self.ellipse.center_x))
        bottom, right = (max(int(center + reach) + 1, 0) for center in (self.ellipse.center_y, self.ellipse.center_x))
        window = mask[top:bottom, left:right]
        rows, columns = np.indices(window.shape, dtype=np.float32)
        window[...] = self.coordinates(columns + np.float32(left), rows + np.float32(top)).distance <= 0
        return mask
