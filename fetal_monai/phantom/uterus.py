"""The surroundings of the head: amniotic fluid, placenta, the uterine wall, the mother's tissue, limbs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.head import HeadCoordinates
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise, SmoothField

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Limb:
    """A limb in cross-section: a bright disc with a brighter near rim.

    Attributes:
        angle_rad: Direction from the head's centre, as a parametric angle of its ellipse.
        gap_mm: Distance of the limb's centre from the skull.
        radius_mm: Its radius.
        level_db: Level of its diffuse echo.
    """

    angle_rad: float
    gap_mm: float
    radius_mm: float
    level_db: float


@dataclass(frozen=True, slots=True)
class Uterus:
    """Everything outside the head.

    The wall of the amniotic cavity follows the head at a varying distance. Where the distance is positive there is
    fluid; elsewhere the wall or the placenta touches the head.

    Attributes:
        fluid_gap_mm: Mean distance between the head and the wall; negative for a tight uterus.
        fluid_gap_variation_mm: Its variation around the head.
        fluid_db: Level of the fluid's faint echo.
        tissue_db: Level of the wall's and the mother's tissue.
        wall_reflection_db: Level of the wall's surface where the beam meets it at a right angle.
        placenta_mm: Thickness of the placenta; 0 if none is visible.
        placenta_angle_rad: Direction of its middle, as a parametric angle of the head's ellipse.
        placenta_db: Level of the placenta.
        variation_db: Broad variation of the tissue's level.
        layers_db: Layers of muscle and fat, long across the beams and thin along them.
        fascia: Short reflecting sheets across the beams, where the value is above 1.
        fascia_db: Level of their echo.
        skin_mm: Depth over which the layers under the probe are more pronounced.
        limbs: Limbs in the fluid.
    """

    fluid_gap_mm: float
    fluid_gap_variation_mm: ClosedCurveNoise
    fluid_db: float
    tissue_db: float
    wall_reflection_db: float
    placenta_mm: float
    placenta_angle_rad: float
    placenta_db: float
    variation_db: SmoothField
    layers_db: SmoothField
    fascia: SmoothField
    fascia_db: float
    skin_mm: float
    limbs: tuple[Limb, ...]

    @classmethod
    def random(cls, rng: np.random.Generator, head_circumference_mm: float) -> Uterus:
        """Draw a uterus; a small head floats in more fluid than a large one."""
        roominess = max(0.0, 1 - head_circumference_mm / 330)
        limbs = tuple(
            Limb(
                angle_rad=float(rng.uniform(-math.pi, math.pi)),
                gap_mm=float(rng.uniform(7, 16)),
                radius_mm=float(rng.uniform(2.5, 6)),
                level_db=float(rng.uniform(-34, -26)),
            )
            for _ in range(rng.choice((0, 0, 0, 1, 2)))
        )
        return cls(
            fluid_gap_mm=float(rng.normal(-4 + 6 * roominess, 4)),
            fluid_gap_variation_mm=ClosedCurveNoise.random(rng, 1, 7, rms=float(rng.uniform(3, 7 + 4 * roominess))),
            fluid_db=float(rng.uniform(-62, -50)),
            tissue_db=float(rng.normal(-38, 3.5)),
            wall_reflection_db=float(rng.uniform(-40, -24)),
            placenta_mm=float(rng.uniform(12, 30) * (rng.random() < 0.45)),
            placenta_angle_rad=float(rng.uniform(-math.pi, math.pi)),
            placenta_db=float(rng.uniform(-35, -29)),
            variation_db=SmoothField.random(rng, (14, 9), scale=float(rng.uniform(2, 7))),
            layers_db=SmoothField.random(rng, (160, 7), scale=float(rng.uniform(1, 5))),
            fascia=SmoothField.random(rng, (220, 20), scale=1.0),
            fascia_db=float(rng.uniform(-46, -30)),
            skin_mm=float(rng.uniform(4, 14)),
            limbs=limbs,
        )

    def paint(self, at: HeadCoordinates, grid: BeamGrid, pixel_spacing_mm: float) -> tuple[Field, Field, Field]:
        """Draw the surroundings.

        Args:
            at: Head coordinates of the grid's samples.
            grid: The grid.
            pixel_spacing_mm: Pixel size of the screen.

        Returns:
            Three fields (depths, beams): level of the diffuse echo in dB, amplitude of the coherent echo, and fraction
            of fluid in each sample (0 to 1).
        """
        distance = at.distance_mm
        gap = np.float32(self.fluid_gap_mm) + self.fluid_gap_variation_mm(at.curve_angle)
        to_wall = distance - gap  # mm, positive in the wall
        fluid = np.clip(np.float32(0.5) - to_wall * np.float32(0.8), 0, 1) * (gap > 0)

        depths_mm = (grid.radii - np.float32(grid.sector.start_radius)) * np.float32(pixel_spacing_mm)
        broad = self.variation_db(depths_mm, grid.angles)
        skin = np.exp(-depths_mm / np.float32(self.skin_mm))[:, None]
        level = np.float32(self.tissue_db) + broad
        level += (1 + 2 * skin) * self.layers_db(depths_mm, grid.angles) + 6 * skin

        if self.placenta_mm:
            turn = at.curve_angle - np.float32(self.placenta_angle_rad)
            thickness = np.float32(self.placenta_mm) * np.clip(1.2 * np.cos(turn) + np.float32(0.1), 0, 1)
            placenta = np.clip(thickness - to_wall, 0, 1) * (to_wall > 0)
            level += (np.float32(self.placenta_db) + np.float32(0.3) * broad - level) * placenta
        level += (np.float32(self.fluid_db) - level) * fluid

        sheets = np.maximum(self.fascia(depths_mm, grid.angles) - 1, 0) * (1 + skin)
        reflection = np.float32(10 ** (self.fascia_db / 20)) * sheets * (1 - fluid)
        facing = np.abs(at.beam_cosine)
        surface = np.exp(-((to_wall / np.float32(0.6)) ** 2)) * (gap > 3)
        reflection += np.float32(10 ** (self.wall_reflection_db / 20)) * facing**4 * surface
        for limb in self.limbs:
            self._paint_limb(limb, at, level, reflection, fluid)
        return level, reflection, fluid

    @staticmethod
    def _paint_limb(limb: Limb, at: HeadCoordinates, level: Field, reflection: Field, fluid: Field) -> None:
        a_mm, b_mm = at.semi_axes_mm
        x = at.along * np.float32(a_mm) - np.float32((a_mm + limb.gap_mm) * math.cos(limb.angle_rad))
        y = at.across * np.float32(b_mm) - np.float32((b_mm + limb.gap_mm) * math.sin(limb.angle_rad))
        from_rim = np.hypot(x, y) - np.float32(limb.radius_mm)
        # Only where there is fluid to float in, and never into the skull.
        limb_weight = np.clip(np.float32(0.5) - from_rim, 0, 1) * (at.distance_mm > 1.5)
        level += (np.float32(limb.level_db) - level) * limb_weight * fluid
        rim = np.exp(-((from_rim / np.float32(0.7)) ** 2)) * (y < 0) * fluid
        reflection += np.float32(10 ** ((limb.level_db + 10) / 20)) * rim
        fluid *= 1 - limb_weight
