"""The skull: the position of samples relative to it, its echo and its attenuation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeadCoordinates:
    """Position of every sample of a polar grid relative to the head; all fields are (depths, beams).

    Attributes:
        along: Coordinate on the long axis in semi-axes, 0 at the centre, 1 at its end.
        across: Coordinate on the short axis in semi-axes, positive on the side away from the probe.
        distance_mm: Distance from the ellipse, negative inside (first order, exact on the ellipse).
        beam_cosine: Cosine between the ellipse's outward normal and the beam.
        curve_angle: Parametric angle of the ellipse, rad in (-pi, pi].
        semi_axes_mm: The two semi-axes.
        short_axis_beam_cosine: Cosine between the short axis and the beam through the centre, >= 0.
    """

    along: Field
    across: Field
    distance_mm: Field
    beam_cosine: Field
    curve_angle: Field
    semi_axes_mm: tuple[float, float]
    short_axis_beam_cosine: float

    @classmethod
    def of(cls, ellipse: Ellipse, grid: BeamGrid, pixel_spacing_mm: float) -> HeadCoordinates:
        """Coordinates of the grid's samples for the head with the outline `ellipse` (px)."""
        cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
        a, b = ellipse.semi_axis_a, ellipse.semi_axis_b
        # The short axis points away from the probe, so that "near" and "far" have the same meaning for every head.
        short_x, short_y = -sin, cos
        central_beam = math.atan2(ellipse.center_x - grid.sector.apex_x, ellipse.center_y - grid.sector.apex_y)
        facing = short_x * math.sin(central_beam) + short_y * math.cos(central_beam)
        if facing < 0:
            short_x, short_y = -short_x, -short_y
        x, y = grid.x - np.float32(ellipse.center_x), grid.y - np.float32(ellipse.center_y)
        along = (x * np.float32(cos) + y * np.float32(sin)) / np.float32(a)
        across = (x * np.float32(short_x) + y * np.float32(short_y)) / np.float32(b)
        # First-order distance to the level set f = 1 of f = hypot(along, across): (f - 1) / |grad f|.
        level = np.maximum(np.hypot(along, across), np.float32(1e-3))
        gradient_along, gradient_across = along / np.float32(a), across / np.float32(b)
        steepness = np.hypot(gradient_along, gradient_across)
        beam_x, beam_y = np.sin(grid.angles), np.cos(grid.angles)
        beam_cosine = (
            gradient_along * (np.float32(cos) * beam_x + np.float32(sin) * beam_y)
            + gradient_across * (np.float32(short_x) * beam_x + np.float32(short_y) * beam_y)
        ) / np.maximum(steepness, np.float32(1e-9))
        distance_px = (level - 1) * level / np.maximum(steepness, np.float32(1e-9))
        return cls(
            along=along,
            across=across,
            distance_mm=distance_px * np.float32(pixel_spacing_mm),
            beam_cosine=beam_cosine,
            curve_angle=np.arctan2(across, along),
            semi_axes_mm=(a * pixel_spacing_mm, b * pixel_spacing_mm),
            short_axis_beam_cosine=abs(facing),
        )


@dataclass(frozen=True, slots=True)
class Skull:
    """A bony shell just inside the ellipse.

    Attributes:
        thickness_mm: Mean thickness of the shell.
        thickness_variation: Relative variation of the thickness around the head.
        echo_db: Level of its echo where the beam meets it at a right angle.
        directivity: Exponent of the cosine between beam and normal, by which the echo fades at grazing incidence.
        attenuation_db_per_mm: Round-trip attenuation of the bone.
        unevenness_mm: Deviation of the bone from the ellipse around the head. It has no harmonics 0 to 2, so the
            ellipse remains the one that fits the bone best.
        strength_db: Variation of the echo around the head.
        gaps: Sutures: (parametric angle in rad, half width in mm) of the gaps in the bone.
        scalp_mm: Distance of the scalp's faint line from the skull; 0 for none.
    """

    thickness_mm: float
    thickness_variation: ClosedCurveNoise
    echo_db: float
    directivity: float
    attenuation_db_per_mm: float
    unevenness_mm: ClosedCurveNoise
    strength_db: ClosedCurveNoise
    gaps: tuple[tuple[float, float], ...]
    scalp_mm: float

    @classmethod
    def random(cls, rng: np.random.Generator, head_circumference_mm: float) -> Skull:
        """Draw a skull; it thickens and hardens with the size of the head."""
        maturity = (head_circumference_mm - 50) / 295
        mean_radius_mm = head_circumference_mm / (2 * math.pi)
        gaps = tuple(
            (float(rng.uniform(-math.pi, math.pi)), float(rng.uniform(0.6, 2.2)) * (0.6 + 0.8 * maturity))
            for _ in range(rng.integers(0, 4))
        )
        return cls(
            thickness_mm=float(rng.uniform(0.7, 1.3) + 1.4 * maturity),
            thickness_variation=ClosedCurveNoise.random(rng, 2, 12, rms=float(rng.uniform(0.05, 0.2))),
            echo_db=float(rng.uniform(-19, -10) - 2 * (maturity < 0.12)),
            directivity=float(rng.uniform(1.5, 4.0)),
            attenuation_db_per_mm=float(rng.uniform(1.0, 2.2) + 0.6 * maturity),
            unevenness_mm=ClosedCurveNoise.random(rng, 3, 8, rms=float(rng.uniform(0.002, 0.006)) * mean_radius_mm),
            strength_db=ClosedCurveNoise.random(rng, 1, 40, rms=float(rng.uniform(2, 5))),
            gaps=gaps,
            scalp_mm=float(rng.uniform(1.5, 3.5) * (0.5 + maturity) * (rng.random() < 0.35)),
        )

    def depth_mm(self, at: HeadCoordinates) -> Field:
        """Distance of every sample from the outer surface of the bone, negative inside."""
        return at.distance_mm - self.unevenness_mm(at.curve_angle)

    def bone(self, at: HeadCoordinates, depth_mm: Field) -> Field:
        """Amount of bone at every sample, 0 to 1: bell-shaped across the shell, 0 at the sutures."""
        thickness = np.float32(self.thickness_mm) * (1 + self.thickness_variation(at.curve_angle))
        from_peak = depth_mm + np.float32(0.5) * thickness
        # The echo rises steeply at the outer surface and decays inwards.
        width = np.where(from_peak > 0, np.float32(0.36) * thickness, np.float32(0.55) * thickness)
        return np.exp(np.float32(-0.5) * (from_peak / width) ** 2) * self._closed(at)

    def _closed(self, at: HeadCoordinates) -> Field:
        """1 around the head where there is bone, nearly 0 at the sutures."""
        size = 2048
        angles = np.linspace(-math.pi, math.pi, size, dtype=np.float32)
        closed = np.ones(size, dtype=np.float32)
        mean_radius_mm = sum(at.semi_axes_mm) / 2
        for angle, half_width_mm in self.gaps:
            offset_mm = np.abs(np.mod(angles - angle + math.pi, 2 * math.pi) - math.pi) * mean_radius_mm
            closed *= 1 - np.float32(0.8) * np.exp(-((offset_mm / half_width_mm) ** 2))
        positions = (at.curve_angle + np.float32(math.pi)) * np.float32((size - 1) / (2 * math.pi))
        return closed[positions.astype(np.int32)]

    def reflection(self, at: HeadCoordinates, depth_mm: Field, bone: Field) -> Field:
        """Amplitude of the coherent echo of bone and scalp."""
        facing = np.abs(at.beam_cosine)
        strength = np.float32(10 ** (self.echo_db / 20)) * 10 ** (self.strength_db(at.curve_angle) / np.float32(20))
        echo = strength * facing ** np.float32(self.directivity) * bone
        if self.scalp_mm:
            line = np.exp(-(((depth_mm - np.float32(self.scalp_mm)) / np.float32(0.35)) ** 2))
            echo += np.float32(0.12) * strength * facing**2 * line
        return echo
