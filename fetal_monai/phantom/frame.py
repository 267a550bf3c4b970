"""Simulate one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.geometry import Sector
from fetal_monai.phantom.acquisition import TISSUE_ATTENUATION, listen
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.exam import FRAME_SHAPE, Exam, View, draw_exam
from fetal_monai.phantom.head import HeadCoordinates
from fetal_monai.phantom.head_section import paint_head

Field = NDArray[np.float32]

# Samples along and across the beams: 1 to 2 px on the screen, finer than the speckle.
_DEPTHS, _BEAMS = 384, 256


@dataclass(frozen=True, slots=True)
class PhantomFrame:
    """A simulated frame and its exact ground truth.

    Attributes:
        pixels: Gray levels, uint8 (540, 800).
        ellipse: The head's outline on the outer skull, px.
        pixel_spacing_mm: (row spacing, column spacing), mm.
        sector: The sector, px; it may extend beyond the borders.
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
        repeat: Number of the frame within the exam, 0 or more: the same head, slightly moved, with new speckle.

    Returns:
        The frame with its exact ellipse.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is negative.
    """
    if index(repeat) < 0:
        raise ValueError(f"repeat must be 0 or more, got {repeat}.")
    patient = draw_exam(seed, exam)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(exam, repeat)))
    view = View.random(rng, patient)
    grid = BeamGrid.of(view.sector, FRAME_SHAPE, _DEPTHS, _BEAMS)
    envelope, gain_db = _listen(rng, patient, view, grid)
    gray = patient.display.gray(envelope, gain_db + np.float32(view.gain_db))
    pixels = np.round(grid.scan_convert(gray)).astype(np.uint8)
    patient.furniture.draw(pixels)
    return PhantomFrame(pixels, view.ellipse, (view.pixel_spacing_mm, view.pixel_spacing_mm), view.sector)


def _listen(rng: np.random.Generator, exam: Exam, view: View, grid: BeamGrid) -> tuple[Field, Field]:
    """Envelope of the echo without attenuation, and the net gain in dB of attenuation and time gain."""
    spacing = view.pixel_spacing_mm
    at = HeadCoordinates.of(view.ellipse, grid, spacing)
    level_db, reflection, fluid = exam.uterus.paint(at, grid, spacing)
    spared = np.float32(TISSUE_ATTENUATION) * fluid
    paint_head(exam.skull, exam.brain, at, level_db, reflection, spared)
    return listen(rng, exam, grid, spacing, _head_distance(view), level_db, reflection, spared)


def _head_distance(view: View) -> float:
    """Distance of the head's centre from the sector's apex, px."""
    return math.hypot(view.ellipse.center_x - view.sector.apex_x, view.ellipse.center_y - view.sector.apex_y)
