"""The scanner and the screen that the planes of one patient share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fetal_monai.geometry import Sector
from fetal_monai.phantom.display import Display
from fetal_monai.phantom.smooth_noise import SmoothField

_SHAPES = ((256, 320), (288, 384), (300, 400))


@dataclass(frozen=True, slots=True)
class PlaneScanner:
    """A curved probe and its settings, an implementation of `ScannerSettings`.

    Attributes:
        shape: (H, W) of the screen.
        probe_radius_mm: Radius of the probe's face.
        half_angle_rad: Half of the sector's opening angle.
        beam_width_mm: Width of the beam (standard deviation) at the focus.
        pulse_length_mm: Length of the pulse (standard deviation).
        looks: Number of looks that the scanner compounds.
        depth_gain_db: Gain at the lower end of the sector relative to the upper.
        edge_loss_db: Loss at the outermost beams.
        contact_db: Gain by beam.
        patchiness_db: Spatial variation of every echo.
        display: Settings for the display of an echo.
    """

    shape: tuple[int, int]
    probe_radius_mm: float
    half_angle_rad: float
    beam_width_mm: float
    pulse_length_mm: float
    looks: int
    depth_gain_db: float
    edge_loss_db: float
    contact_db: SmoothField
    patchiness_db: SmoothField
    display: Display

    @classmethod
    def random(cls, rng: np.random.Generator) -> PlaneScanner:
        """Draw a scanner."""
        return cls(
            shape=_SHAPES[rng.integers(len(_SHAPES))],
            probe_radius_mm=float(rng.uniform(40, 62)),
            half_angle_rad=float(rng.uniform(0.45, 0.64)),
            beam_width_mm=float(rng.uniform(0.5, 1.1)),
            pulse_length_mm=float(rng.uniform(0.22, 0.45)),
            looks=int(rng.integers(2, 4)),
            depth_gain_db=float(rng.normal(0, 4)),
            edge_loss_db=float(rng.uniform(0, 12)),
            contact_db=SmoothField.random(rng, (2, 16), scale=float(rng.uniform(1, 5))),
            patchiness_db=SmoothField.random(rng, (80, 40), scale=float(rng.uniform(2, 5))),
            display=Display.random(rng),
        )

    def view(self, rng: np.random.Generator) -> tuple[Sector, float]:
        """Draw a depth setting at random: the sector on the screen, and the pixel size in mm."""
        height, width = self.shape
        top, bottom = rng.uniform(0, 14), height - rng.uniform(2, 14)
        spacing_mm = float(rng.uniform(75, 150) / (bottom - top))
        start = self.probe_radius_mm / spacing_mm
        apex_x, axis = float(width / 2 + rng.normal(0, 6)), float(rng.normal(0, 0.02))
        return Sector(
            apex_x=apex_x,
            apex_y=float(top - start),
            start_radius=float(start),
            end_radius=float(start + bottom - top),
            start_angle_rad=axis - self.half_angle_rad,
            end_angle_rad=axis + self.half_angle_rad,
        ), spacing_mm
