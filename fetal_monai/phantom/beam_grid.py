"""Polar samples of a sector on the screen, and their scan conversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from fetal_monai.geometry import Sector

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BeamGrid:
    """Samples of the part of a sector that a screen shows; fields on it are float32 arrays (depths, beams).

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

    @classmethod
    def of(cls, sector: Sector, shape: tuple[int, int], depths: int, beams: int) -> BeamGrid:
        """Sample the visible depths and angles of a sector evenly.

        Args:
            sector: The sector, with square pixels.
            shape: (H, W) of the screen, px.
            depths: Number of samples along a beam.
            beams: Number of beams.

        Raises:
            ValueError: The sector is outside the screen.
        """
        dy = (np.arange(shape[0], dtype=np.float32) - np.float32(sector.apex_y))[:, None]
        dx = (np.arange(shape[1], dtype=np.float32) - np.float32(sector.apex_x))[None, :]
        radius, angle = np.hypot(dx, dy), np.arctan2(dx, dy)
        visible = sector.contains(shape)
        if not visible.any():
            raise ValueError(f"{sector} does not reach a screen of {shape} px.")
        # One extra pixel on every side, so that scan conversion never extrapolates.
        radii = np.linspace(max(radius[visible].min() - 1, 1e-3), radius[visible].max() + 1, depths, dtype=np.float32)
        margin = 1 / float(radii[-1])
        angles = np.linspace(angle[visible].min() - margin, angle[visible].max() + margin, beams, dtype=np.float32)
        return cls(sector, shape, radii, angles, visible, radius[visible], angle[visible])

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
        """Resample a polar field to the screen by bilinear interpolation.

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
