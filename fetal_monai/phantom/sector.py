"""The fan that a curvilinear probe sees: polar sampling and scan conversion to the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from fetal_monai.geometry import Sector as SectorGeometry

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sector:
    """A fan of beams that leave a curved probe face, in pixels of the screen.

    The beams start on the arc `start_radius` and end on the arc `end_radius`, both around the virtual apex. A beam's
    angle is counted from straight down (+y) towards the right (+x).

    Attributes:
        apex_x: Column of the virtual apex, px.
        apex_y: Row of the virtual apex, px; negative when it lies above the screen.
        start_radius: Distance from the apex to the probe face, px.
        end_radius: Distance from the apex to the deepest sample, px.
        axis_rad: Angle of the middle beam.
        half_angle_rad: Half of the opening angle, in (0, pi/2).

    Raises:
        ValueError: The radii are not 0 <= start < end, or the half angle lies outside (0, pi/2).
    """

    apex_x: float
    apex_y: float
    start_radius: float
    end_radius: float
    axis_rad: float
    half_angle_rad: float

    def __post_init__(self) -> None:
        if not 0 <= self.start_radius < self.end_radius:
            raise ValueError(
                f"A sector needs 0 <= start_radius < end_radius, got {self.start_radius} and {self.end_radius} px."
            )
        if not 0 < self.half_angle_rad < math.pi / 2:
            raise ValueError(f"half_angle_rad must lie between 0 and pi/2, got {self.half_angle_rad}.")

    def contains(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels whose centres lie in the sector, a boolean mask (H, W)."""
        return self._contains(*self._polar(shape))

    def geometry(self) -> SectorGeometry:
        """The sector in the words of `fetal_monai.geometry`: px of the screen, square pixels."""
        return SectorGeometry(
            self.apex_x,
            self.apex_y,
            self.start_radius,
            self.end_radius,
            self.axis_rad - self.half_angle_rad,
            self.axis_rad + self.half_angle_rad,
        )

    def grid(self, shape: tuple[int, int], depths: int, beams: int) -> PolarGrid:
        """Sample the part of the sector that a screen of `shape` shows.

        Args:
            shape: (H, W) of the screen, px.
            depths: Number of samples along a beam.
            beams: Number of beams.

        Returns:
            A grid (depths, beams) that spans the visible depths and angles evenly.

        Raises:
            ValueError: The sector lies outside the screen.
        """
        radius, angle = self._polar(shape)
        visible = self._contains(radius, angle)
        if not visible.any():
            raise ValueError(f"The sector {self} does not reach a screen of {shape} px.")
        # One pixel more on every side, so that scan conversion never extrapolates.
        radii = np.linspace(max(radius[visible].min() - 1, 1e-3), radius[visible].max() + 1, depths, dtype=np.float32)
        margin = 1 / float(radii[-1])
        angles = np.linspace(angle[visible].min() - margin, angle[visible].max() + margin, beams, dtype=np.float32)
        return PolarGrid(self, shape, radii, angles, visible, radius[visible], angle[visible])

    def _polar(self, shape: tuple[int, int]) -> tuple[Field, Field]:
        dy = (np.arange(shape[0], dtype=np.float32) - np.float32(self.apex_y))[:, None]
        dx = (np.arange(shape[1], dtype=np.float32) - np.float32(self.apex_x))[None, :]
        return np.hypot(dx, dy), np.arctan2(dx, dy)

    def _contains(self, radius: Field, angle: Field) -> NDArray[np.bool_]:
        in_depth = (radius >= self.start_radius) & (radius <= self.end_radius)
        return in_depth & (np.abs(angle - np.float32(self.axis_rad)) <= self.half_angle_rad)


@dataclass(frozen=True, slots=True)
class PolarGrid:
    """Samples of a sector, made by `Sector.grid`; fields on it are float32 arrays (depths, beams).

    Attributes:
        sector: The sector.
        shape: (H, W) of the screen, px.
        radii: Distance of each depth sample from the apex, px.
        angles: Angle of each beam, rad.
        visible: Mask (H, W) of the pixels that show the sector.
        pixel_radius: Distance from the apex of every visible pixel, px.
        pixel_angle: Angle of every visible pixel, rad.
    """

    sector: Sector
    shape: tuple[int, int]
    radii: Field
    angles: Field
    visible: NDArray[np.bool_]
    pixel_radius: Field
    pixel_angle: Field

    @property
    def x(self) -> Field:
        """Columns of the samples, px."""
        return np.float32(self.sector.apex_x) + self.radii[:, None] * np.sin(self.angles)

    @property
    def y(self) -> Field:
        """Rows of the samples, px."""
        return np.float32(self.sector.apex_y) + self.radii[:, None] * np.cos(self.angles)

    @property
    def depth_step(self) -> float:
        """Distance between neighbouring samples of one beam, px."""
        return float(self.radii[1] - self.radii[0])

    @property
    def beam_step(self) -> float:
        """Angle between neighbouring beams, rad."""
        return float(self.angles[1] - self.angles[0])

    def scan_convert(self, field: Field) -> Field:
        """Bring a polar field to the screen by bilinear interpolation.

        Args:
            field: Values on the grid, (depths, beams).

        Returns:
            Values on the screen, (H, W); 0 outside the sector.
        """
        rows = (self.pixel_radius - self.radii[0]) / np.float32(self.depth_step)
        columns = (self.pixel_angle - self.angles[0]) / np.float32(self.beam_step)
        screen = np.zeros(self.shape, dtype=np.float32)
        screen[self.visible] = map_coordinates(field, np.stack([rows, columns]), order=1, mode="nearest")
        return screen
