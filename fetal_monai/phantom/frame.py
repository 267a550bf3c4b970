"""Simulate one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from fetal_monai.biometry import Ellipse
from fetal_monai.geometry import Sector
from fetal_monai.phantom.exam import FRAME_SHAPE, Exam, View, draw_exam
from fetal_monai.phantom.head import HeadCoordinates
from fetal_monai.phantom.sector import PolarGrid
from fetal_monai.phantom.speckle import echo_envelope

Field = NDArray[np.float32]

# Samples along and across the beams: 1 to 2 px on the screen, finer than the speckle.
_DEPTHS, _BEAMS = 384, 256
# What soft tissue takes from a beam of 3.5 MHz there and back, dB per mm. The scanner's time gain makes up for it, so
# a path through fluid or brain comes out brighter by the difference.
_TISSUE_ATTENUATION, _BRAIN_ATTENUATION = 0.30, 0.14


@dataclass(frozen=True, slots=True)
class PhantomFrame:
    """A simulated frame and its exact truth.

    Attributes:
        pixels: Gray levels, uint8 (540, 800).
        ellipse: The head's outline on the outer skull, px.
        pixel_spacing_mm: (row spacing, column spacing), mm.
        sector: The sector, px; it may reach over the borders.
    """

    pixels: NDArray[np.uint8]
    ellipse: Ellipse
    pixel_spacing_mm: tuple[float, float]
    sector: Sector

    @property
    def head_circumference_mm(self) -> float:
        """Perimeter of the ellipse in mm."""
        row_mm, column_mm = self.pixel_spacing_mm
        return self.ellipse.scaled(column_mm, row_mm).perimeter


def simulate_frame(seed: int, exam: int, repeat: int = 0) -> PhantomFrame:
    """Simulate one frame; the same three numbers always give the same frame.

    Args:
        seed: Seed of the whole set, 0 or more.
        exam: Number of the exam within the set, 0 or more: another head, uterus and scanner setting.
        repeat: Number of the frame within the exam, 0 or more: the same head, a little moved, with new speckle.

    Returns:
        The frame with its exact ellipse.

    Raises:
        TypeError: An argument is no whole number.
        ValueError: An argument is negative.
    """
    if index(repeat) < 0:
        raise ValueError(f"repeat must be 0 or more, got {repeat}.")
    patient = draw_exam(seed, exam)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(exam, repeat)))
    view = View.random(rng, patient)
    grid = view.sector.grid(FRAME_SHAPE, _DEPTHS, _BEAMS)
    envelope, gain_db = _listen(rng, patient, view, grid)
    gray = patient.display.gray(envelope, gain_db + np.float32(view.gain_db))
    pixels = np.round(grid.scan_convert(gray)).astype(np.uint8)
    patient.furniture.draw(pixels)
    return PhantomFrame(pixels, view.ellipse, (view.pixel_spacing_mm, view.pixel_spacing_mm), view.sector.geometry())


def _listen(rng: np.random.Generator, exam: Exam, view: View, grid: PolarGrid) -> tuple[Field, Field]:
    """Envelope of the echo without attenuation, and the gain in dB that attenuation and time gain leave."""
    spacing = view.pixel_spacing_mm
    at = HeadCoordinates.of(view.ellipse, grid, spacing)
    skull_depth = exam.skull.depth_mm(at)
    bone = exam.skull.bone(at, skull_depth)

    level_db, reflection, fluid = exam.uterus.paint(at, grid, spacing)
    inside = skull_depth < np.float32(-0.5 * exam.skull.thickness_mm)
    level_db[inside] = exam.brain.level_db(at, inside)
    fluid[inside] = 0
    # The bone's own diffuse echo keeps the sides of the head faintly visible, where nothing is reflected.
    level_db += (np.float32(exam.skull.echo_db - 18) - level_db) * bone * np.float32(0.7)
    reflection *= skull_depth > 0
    reflection[inside] += exam.brain.reflection(at, inside)
    reflection += exam.skull.reflection(at, skull_depth, bone)
    depths_mm = (grid.radii - np.float32(view.sector.start_radius)) * np.float32(spacing)
    patchiness_db = exam.patchiness_db(depths_mm, grid.angles)
    level_db += np.float32(0.7) * patchiness_db
    reflection *= 10 ** (patchiness_db / np.float32(20))

    scatter = 10 ** (level_db / np.float32(20))
    envelope = echo_envelope(
        rng,
        scatter,
        reflection,
        pulse_sigma=max(exam.pulse_length_mm / (spacing * grid.depth_step), 0.6),
        beam_sigma=max(exam.beam_width_mm / (spacing * _head_distance(view) * grid.beam_step), 0.6),
        looks=exam.looks,
    )

    step_mm = np.float32(spacing * grid.depth_step)
    spared = np.float32(_TISSUE_ATTENUATION) * fluid
    spared[inside] = _TISSUE_ATTENUATION - _BRAIN_ATTENUATION
    spared -= np.float32(exam.skull.attenuation_db_per_mm) * bone
    # The beam is wider than one line of the grid, so a shadow's edge is soft.
    gain_db = gaussian_filter1d(np.cumsum(spared, axis=0) * step_mm, 2.5, axis=1)
    gain_db += exam.contact_db(depths_mm, grid.angles)
    off_axis = (grid.angles - np.float32(view.sector.axis_rad)) / np.float32(view.sector.half_angle_rad)
    gain_db -= np.float32(exam.edge_loss_db) * off_axis**4
    time_gain = np.linspace(-0.5, 0.5, len(grid.radii), dtype=np.float32) * np.float32(exam.depth_gain_db)
    return envelope, gain_db + time_gain[:, None]


def _head_distance(view: View) -> float:
    """Distance of the head's centre from the sector's apex, px."""
    return math.hypot(view.ellipse.center_x - view.sector.apex_x, view.ellipse.center_y - view.sector.apex_y)
