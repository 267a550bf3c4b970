"""Computation of the received echo from scattering, reflection and attenuation."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.smooth_noise import SmoothField
from fetal_monai.phantom.speckle import echo_envelope

Field = NDArray[np.float32]

TISSUE_ATTENUATION = 0.30
"""Round-trip attenuation of soft tissue at 3.5 MHz, dB per mm.

The scanner's time gain compensates for it, so a path through fluid or brain is brighter by the difference.
"""


class ScannerSettings(Protocol):
    """Settings of the scanner, and contact between probe and skin, which affect every echo."""

    @property
    def beam_width_mm(self) -> float:
        """Width of the beam (standard deviation) at the focus."""

    @property
    def pulse_length_mm(self) -> float:
        """Length of the pulse (standard deviation)."""

    @property
    def looks(self) -> int:
        """Number of looks that the scanner compounds."""

    @property
    def depth_gain_db(self) -> float:
        """Gain at the lower end of the sector relative to the upper."""

    @property
    def edge_loss_db(self) -> float:
        """Loss at the outermost beams."""

    @property
    def contact_db(self) -> SmoothField:
        """Gain by beam, from the contact of each part of the probe with the skin."""

    @property
    def patchiness_db(self) -> SmoothField:
        """Spatial variation of every echo, finer than an organ and coarser than the speckle."""


def listen(
    rng: np.random.Generator,
    scanner: ScannerSettings,
    grid: BeamGrid,
    pixel_spacing_mm: float,
    focus_radius: float,
    level_db: Field,
    reflection: Field,
    spared_db_per_mm: Field,
) -> tuple[Field, Field]:
    """Envelope of the echo without attenuation, and the net gain in dB of attenuation and time gain.

    Args:
        rng: Source of the speckle.
        scanner: The scanner's settings.
        grid: The polar grid; all fields on it are (depths, beams).
        pixel_spacing_mm: Pixel size of the screen.
        focus_radius: Distance of the focus from the sector's apex, px.
        level_db: Level of the diffuse echo; changed in place.
        reflection: Amplitude of the coherent echo; changed in place.
        spared_db_per_mm: Attenuation that the time gain compensates for minus that of each sample; may be negative.
    """
    sector = grid.sector
    depths_mm = (grid.radii - np.float32(sector.start_radius)) * np.float32(pixel_spacing_mm)
    patchiness_db = scanner.patchiness_db(depths_mm, grid.angles)
    level_db += np.float32(0.7) * patchiness_db
    reflection *= 10 ** (patchiness_db / np.float32(20))

    scatter = 10 ** (level_db / np.float32(20))
    envelope = echo_envelope(
        rng,
        scatter,
        reflection,
        pulse_sigma=max(scanner.pulse_length_mm / (pixel_spacing_mm * grid.depth_step), 0.6),
        beam_sigma=max(scanner.beam_width_mm / (pixel_spacing_mm * focus_radius * grid.beam_step), 0.6),
        looks=scanner.looks,
    )

    step_mm = np.float32(pixel_spacing_mm * grid.depth_step)
    # The beam is wider than one line of the grid, so a shadow's edge is soft.
    gain_db = gaussian_filter1d(np.cumsum(spared_db_per_mm, axis=0) * step_mm, 2.5, axis=1)
    gain_db += scanner.contact_db(depths_mm, grid.angles)
    off_axis = (grid.angles - np.float32(sector.axis_rad)) / np.float32(sector.half_angle_rad)
    gain_db -= np.float32(scanner.edge_loss_db) * off_axis**4
    time_gain = np.linspace(-0.5, 0.5, len(grid.radii), dtype=np.float32) * np.float32(scanner.depth_gain_db)
    return envelope, gain_db + time_gain[:, None]
