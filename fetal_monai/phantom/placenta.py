"""The placenta: a homogeneous crescent on the wall of the uterine cavity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.anatomy import FLUID_ATTENUATION
from fetal_monai.phantom.outline import Outline, OutlineCoordinates
from fetal_monai.phantom.scene import Oval, Scene
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

Field = NDArray[np.float32]

_ATTENUATION = 0.26  # dB per mm (round trip)


@dataclass(frozen=True, slots=True)
class Placenta:
    """A crescent that is thickest in its middle and extends from the wall into the cavity.

    Attributes:
        cavity: The wall of the uterine cavity, px.
        middle_rad: Parametric angle of the middle on the wall.
        half_width_rad: Parametric angle from the middle to the ends.
        thickness: Thickness in the middle, px.
        unevenness: Relative deviation of the thickness around the wall.
        level_db: Level of its diffuse echo.
        plate_db: Level of the reflection of the chorionic plate, its surface towards the fluid.
        lakes: Dark venous lakes.
    """

    cavity: Outline
    middle_rad: float
    half_width_rad: float
    thickness: float
    unevenness: ClosedCurveNoise
    level_db: float
    plate_db: float
    lakes: tuple[Oval, ...]

    @classmethod
    def random(cls, rng: np.random.Generator, cavity: Outline, middle_rad: float, thickness: float) -> Placenta:
        """Draw a placenta on the wall at `middle_rad`, `thickness` px thick."""
        half_width = float(rng.uniform(0.6, 1.3))
        e = cavity.ellipse
        lakes = []
        for _ in range(rng.integers(0, 4)):
            turn = middle_rad + rng.uniform(-0.6, 0.6) * half_width
            inset = rng.uniform(0.3, 0.7) * thickness
            u, v = (e.semi_axis_a - inset) * math.cos(turn), (e.semi_axis_b - inset) * math.sin(turn)
            cos, sin = math.cos(e.angle_rad), math.sin(e.angle_rad)
            lake = Ellipse(
                e.center_x + u * cos - v * sin,
                e.center_y + u * sin + v * cos,
                thickness * rng.uniform(0.08, 0.16),
                thickness * rng.uniform(0.05, 0.08),
                float(rng.uniform(0, math.pi)),
            )
            lakes.append(Oval(Outline(lake), -50.0, attenuation=FLUID_ATTENUATION))
        return cls(
            cavity=cavity,
            middle_rad=middle_rad,
            half_width_rad=half_width,
            thickness=thickness,
            unevenness=ClosedCurveNoise.random(rng, 3, 14, rms=float(rng.uniform(0.04, 0.12))),
            level_db=float(rng.normal(-32, 2)),
            plate_db=float(rng.uniform(-32, -20)),
            lakes=tuple(lakes),
        )

    @property
    def name(self) -> str:
        """Name of its class."""
        return "placenta"

    def paint(self, scene: Scene) -> None:
        """Draw it over the existing content."""
        index = scene.near(self.cavity, margin=6)
        x, y = scene.x.reshape(-1)[index], scene.y.reshape(-1)[index]
        at = self.cavity.coordinates(x, y)
        thickness = self._thickness(at)
        # Its surface is `thickness` inside the wall; the side at the wall merges with the muscle.
        above = at.distance + thickness
        weight = np.clip(np.float32(0.5) + above / 2, 0, 1) * np.clip(np.float32(0.5) - at.distance / 2, 0, 1)
        weight *= thickness > 1
        scene.cover(index, weight, np.float32(self.level_db), _ATTENUATION)
        plate = np.float32(10 ** (self.plate_db / 20)) * scene.facing(index, at.normal_x, at.normal_y) ** 2
        scene.reflect(index, plate * np.exp(-((above / np.float32(1.5)) ** 2)) * (thickness > 2))
        for lake in self.lakes:
            lake.paint(scene)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of a screen (H, W) that it covers."""
        at = self.cavity.coordinates_on(shape)
        thickness = self._thickness(at)
        return (at.distance <= 0) & (at.distance >= -thickness) & (thickness > 1)

    def _thickness(self, at: OutlineCoordinates) -> Field:
        """Thickness at the nearest point of the wall, px; blunt at the ends."""
        turn = np.mod(at.curve_angle - np.float32(self.middle_rad) + math.pi, 2 * math.pi) - math.pi
        profile = np.sqrt(np.clip(1 - (turn / np.float32(self.half_width_rad)) ** 2, 0, 1))
        return np.float32(self.thickness) * profile * (1 + self.unevenness(at.curve_angle))
