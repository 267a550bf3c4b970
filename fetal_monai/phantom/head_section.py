"""An axial section of the head, drawn into its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.acquisition import TISSUE_ATTENUATION
from fetal_monai.phantom.brain import Brain
from fetal_monai.phantom.head import HeadCoordinates, Skull
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Scene

Field = NDArray[np.float32]

_BRAIN_ATTENUATION = 0.14  # dB per mm (round trip)


def paint_head(
    skull: Skull, brain: Brain, at: HeadCoordinates, level_db: Field, reflection: Field, spared_db_per_mm: Field
) -> None:
    """Draw skull and brain over their surroundings; all fields are (depths, beams) and changed in place.

    Args:
        skull: The skull.
        brain: The brain.
        at: Position of every sample relative to the head.
        level_db: Level of the diffuse echo.
        reflection: Amplitude of the coherent echo.
        spared_db_per_mm: Attenuation that the time gain compensates for minus that of each sample.
    """
    skull_depth = skull.depth_mm(at)
    bone = skull.bone(at, skull_depth)
    inside = skull_depth < np.float32(-0.5 * skull.thickness_mm)
    level_db[inside] = brain.level_db(at, inside)
    # The diffuse echo of the bone keeps the sides of the head faintly visible, where nothing is reflected.
    level_db += (np.float32(skull.echo_db - 18) - level_db) * bone * np.float32(0.7)
    reflection *= skull_depth > 0
    reflection[inside] += brain.reflection(at, inside)
    reflection += skull.reflection(at, skull_depth, bone)
    spared_db_per_mm[inside] = TISSUE_ATTENUATION - _BRAIN_ATTENUATION
    spared_db_per_mm -= np.float32(skull.attenuation_db_per_mm) * bone


@dataclass(frozen=True, slots=True)
class HeadSection:
    """A head that is one of several anatomies.

    Attributes:
        ellipse: Outline of the head on the outer skull, px.
        skull: The skull.
        brain: The brain.
    """

    ellipse: Ellipse
    skull: Skull
    brain: Brain

    @classmethod
    def random(cls, rng: np.random.Generator, place: Place, pixel_spacing_mm: float) -> HeadSection:
        """Draw a head whose long semi-axis is the place's radius."""
        ellipse = place.ellipse(0, 0, 1, float(np.clip(rng.normal(0.79, 0.045), 0.67, 0.92)))
        circumference_mm = ellipse.perimeter * pixel_spacing_mm
        return cls(ellipse, Skull.random(rng, circumference_mm), Brain.random(rng, circumference_mm))

    @property
    def name(self) -> str:
        """Name of its class."""
        return "head"

    def paint(self, scene: Scene) -> None:
        """Draw it over the existing content."""
        at = HeadCoordinates.of(self.ellipse, scene.grid, scene.pixel_spacing_mm)
        paint_head(self.skull, self.brain, at, scene.level_db, scene.reflection, scene.spared_db_per_mm)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of a screen (H, W) that it covers."""
        return self.ellipse.rasterise(shape)
