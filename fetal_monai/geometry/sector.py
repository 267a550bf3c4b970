"""The sector of a curvilinear probe on an image: apex, angles and depth range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.geometry.checks import check_points, check_shape

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sector:
    """A fan of beams on an image, all lengths in px.

    Lengths are in pixels, not millimetres, because most frames state no spacing, but the sector is visible on the
    screen. Radii are in units of the column spacing. If pixels are not square, `pixel_aspect_ratio` scales the rows, so
    that arcs are circles in tissue even if they are not in the image. A radius of 1 px is one column spacing in mm.

    Pixel centres are at integer coordinates; x is the column, y the row. Angles are measured from straight down (+y)
    towards the right (+x). Angles and radii are half-open: the start belongs to the sector, the end does not.

    Attributes:
        apex_x: Column of the virtual apex.
        apex_y: Row of the virtual apex; negative if it is above the image, as it usually is.
        start_radius: Distance from the apex to the first sample, in column spacings.
        end_radius: Distance from the apex to the end of the beams, in column spacings.
        start_angle_rad: Angle of the left edge.
        end_angle_rad: Angle of the right edge.
        pixel_aspect_ratio: Row spacing over column spacing, as DICOM's Pixel Aspect Ratio (0028,0034).

    Raises:
        ValueError: A value is not finite, not 0 <= start_radius < end_radius, not
            -pi/2 < start_angle_rad < end_angle_rad < pi/2, or the ratio is not positive.
    """

    apex_x: float
    apex_y: float
    start_radius: float
    end_radius: float
    start_angle_rad: float
    end_angle_rad: float
    pixel_aspect_ratio: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = float(getattr(self, name))
            if not math.isfinite(value):
                raise ValueError(f"{name} of a sector must be finite, got {value}.")
            object.__setattr__(self, name, value)
        if not 0 <= self.start_radius < self.end_radius:
            raise ValueError(
                "A sector needs 0 <= start_radius < end_radius, "
                f"got start_radius={self.start_radius} and end_radius={self.end_radius}."
            )
        if not -math.pi / 2 < self.start_angle_rad < self.end_angle_rad < math.pi / 2:
            raise ValueError(
                "A sector needs -pi/2 < start_angle_rad < end_angle_rad < pi/2 in radians (not degrees), "
                f"got start_angle_rad={self.start_angle_rad} and end_angle_rad={self.end_angle_rad}."
            )
        if self.pixel_aspect_ratio <= 0:
            raise ValueError(
                f"pixel_aspect_ratio, row spacing over column spacing, must be positive, got {self.pixel_aspect_ratio}."
            )

    @classmethod
    def from_mm(
        cls,
        apex_mm: tuple[float, float],
        radii_mm: tuple[float, float],
        angles_rad: tuple[float, float],
        pixel_spacing_mm: tuple[float, float],
    ) -> Sector:
        """Create a sector from lengths in mm.

        Args:
            apex_mm: (x, y) of the apex from the centre of the first pixel, mm.
            radii_mm: (start, end) distance from the apex, mm.
            angles_rad: (start, end) angle.
            pixel_spacing_mm: (row, column) spacing.

        Raises:
            ValueError: The spacing is not two positive finite numbers, or as for the class.
        """
        row, column = (float(length) for length in pixel_spacing_mm)
        if not all(math.isfinite(length) and length > 0 for length in (row, column)):
            raise ValueError(f"pixel_spacing_mm must be two positive numbers (row, column), got {pixel_spacing_mm}.")
        start, end = (length / column for length in radii_mm)
        return cls(apex_mm[0] / column, apex_mm[1] / row, start, end, *angles_rad, row / column)

    @property
    def axis_rad(self) -> float:
        """Angle of the middle beam."""
        return (self.start_angle_rad + self.end_angle_rad) / 2

    @property
    def half_angle_rad(self) -> float:
        """Half of the opening angle."""
        return (self.end_angle_rad - self.start_angle_rad) / 2

    def polar(self, points: NDArray[Any]) -> Points:
        """Radius and angle of points on the image.

        Args:
            points: Array (..., 2) of (x, y), px.

        Returns:
            Array (..., 2) of (radius in column spacings, angle in rad).

        Raises:
            ValueError: The last axis is not 2.
        """
        x, y = check_points(points)
        right = x - self.apex_x
        down = (y - self.apex_y) * self.pixel_aspect_ratio
        return np.stack([np.hypot(right, down), np.arctan2(right, down)], axis=-1)

    def cartesian(self, points: NDArray[Any]) -> Points:
        """Points on the image of points given by radius and angle, the inverse of `polar`.

        Args:
            points: Array (..., 2) of (radius in column spacings, angle in rad).

        Returns:
            Array (..., 2) of (x, y), px.

        Raises:
            ValueError: The last axis is not 2.
        """
        radius, angle = check_points(points)
        x = self.apex_x + radius * np.sin(angle)
        y = self.apex_y + radius * np.cos(angle) / self.pixel_aspect_ratio
        return np.stack([x, y], axis=-1)

    def contains(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels whose centres are in the sector.

        Args:
            shape: (H, W) of the image.

        Returns:
            Boolean mask (H, W).
        """
        height, width = check_shape(shape)
        # As in `polar`, without an array of all points.
        right = np.arange(width) - self.apex_x
        down = (np.arange(height)[:, None] - self.apex_y) * self.pixel_aspect_ratio
        radius, angle = np.hypot(right, down), np.arctan2(right, down)
        in_depth = (radius >= self.start_radius) & (radius < self.end_radius)
        return in_depth & (angle >= self.start_angle_rad) & (angle < self.end_angle_rad)

    def scaled(self, x_scale: float, y_scale: float) -> Sector:
        """The same sector after the image is resized (zoomed) by these factors.

        The corners of the image coincide: a pixel centre x is mapped to (x + 1/2) x_scale - 1/2.

        Args:
            x_scale: Columns of the resized image per column of this one.
            y_scale: Rows of the resized image per row of this one.

        Raises:
            ValueError: A scale is not a positive finite number.
        """
        for name, scale in (("x_scale", x_scale), ("y_scale", y_scale)):
            if not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"{name} must be a positive finite number, got {scale}.")
        return replace(
            self,
            apex_x=(self.apex_x + 0.5) * x_scale - 0.5,
            apex_y=(self.apex_y + 0.5) * y_scale - 0.5,
            start_radius=self.start_radius * x_scale,
            end_radius=self.end_radius * x_scale,
            pixel_aspect_ratio=self.pixel_aspect_ratio * x_scale / y_scale,
        )

    def moved(self, columns: float, rows: float) -> Sector:
        """The same sector on an image with `columns` more on the left and `rows` more at the top."""
        return replace(self, apex_x=self.apex_x + columns, apex_y=self.apex_y + rows)

    def to_fractions(self, points: NDArray[Any]) -> Points:
        """Map points on the image to fractions of the sector.

        Args:
            points: Array (..., 2) of (x, y), px.

        Returns:
            Array (..., 2) of (fraction of the angles, fraction of the depth range), both in [0, 1) inside the sector.
        """
        radius, angle = np.moveaxis(self.polar(points), -1, 0)
        across = (angle - self.start_angle_rad) / (self.end_angle_rad - self.start_angle_rad)
        along = (radius - self.start_radius) / (self.end_radius - self.start_radius)
        return np.stack([across, along], axis=-1)

    def from_fractions(self, fractions: NDArray[Any]) -> Points:
        """Points on the image, (x, y) px, of fractions of the angles and the depth range, see `to_fractions`."""
        across, along = check_points(fractions)
        angle = self.start_angle_rad + across * (self.end_angle_rad - self.start_angle_rad)
        radius = self.start_radius + along * (self.end_radius - self.start_radius)
        return self.cartesian(np.stack([radius, angle], axis=-1))
