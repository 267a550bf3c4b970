"""The coordinate system of a body on the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse


@dataclass(frozen=True, slots=True)
class Place:
    """Position, size and direction of a body.

    Its own coordinates are in units of `radius`: `along` in the direction `angle_rad`, `across` at a right angle to it,
    clockwise on the screen, or counterclockwise for a mirrored body.

    Attributes:
        center_x: Column of the body's centre, px.
        center_y: Row of the body's centre, px.
        radius: Half of the body's length, px.
        angle_rad: Direction of `along` from +x (columns) towards +y (rows, down).
        mirrored: Whether the body is mirrored.
    """

    center_x: float
    center_y: float
    radius: float
    angle_rad: float
    mirrored: bool = False

    def point(self, along: float, across: float) -> tuple[float, float]:
        """(x, y) of a point on the screen, px."""
        across = -across if self.mirrored else across
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        return (
            self.center_x + self.radius * (along * cos - across * sin),
            self.center_y + self.radius * (along * sin + across * cos),
        )

    def ellipse(
        self, along: float, across: float, half_length: float, half_width: float, tilt_rad: float = 0.0
    ) -> Ellipse:
        """An ellipse on the screen, px; `tilt_rad` rotates its long axis from `along` towards `across`."""
        x, y = self.point(along, across)
        tilt_rad = -tilt_rad if self.mirrored else tilt_rad
        if half_width > half_length:
            half_length, half_width, tilt_rad = half_width, half_length, tilt_rad + math.pi / 2
        angle = (self.angle_rad + tilt_rad) % math.pi
        return Ellipse(x, y, half_length * self.radius, half_width * self.radius, angle)

    def inner(self, along: float, across: float, radius: float, tilt_rad: float) -> Place:
        """The place of a part, with `radius` in units of this body's radius."""
        x, y = self.point(along, across)
        tilt_rad = -tilt_rad if self.mirrored else tilt_rad
        return Place(x, y, radius * self.radius, self.angle_rad + tilt_rad, self.mirrored)

    def spread(self, half_width: float) -> NDArray[np.float64]:
        """(x, y) of points spread evenly over an oval of half length 1 and this half width, (N, 2)."""
        turn = np.arange(64) * (math.pi * (3 - math.sqrt(5)))  # sunflower pattern
        distance = np.sqrt((np.arange(64) + 0.5) / 64)
        return np.array(
            [self.point(r * math.cos(t), half_width * r * math.sin(t)) for r, t in zip(distance, turn, strict=True)]
        )
