"""Scattering, reflection and attenuation in the sector, and ovals of tissue, fluid and bone to draw into it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fetal_monai.phantom.acquisition import TISSUE_ATTENUATION
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.outline import Outline

Field = NDArray[np.float32]

_EDGE_PX = 1.5  # width of the transition between two tissues


@dataclass(frozen=True, slots=True)
class Scene:
    """The fields that are drawn into; all are (depths, beams).

    Attributes:
        grid: The polar grid.
        pixel_spacing_mm: Pixel size of the screen.
        level_db: Level of the diffuse echo.
        reflection: Amplitude of the coherent echo.
        spared_db_per_mm: Attenuation that the time gain compensates for minus that of each sample; may be negative.
        x: Columns of the samples, px.
        y: Rows of the samples, px.
    """

    grid: BeamGrid
    pixel_spacing_mm: float
    level_db: Field
    reflection: Field
    spared_db_per_mm: Field
    x: Field = field(init=False)
    y: Field = field(init=False)

    def __post_init__(self) -> None:
        # Computed once, because every oval of an anatomy needs them.
        object.__setattr__(self, "x", self.grid.x)
        object.__setattr__(self, "y", self.grid.y)

    def cover(self, index: NDArray[np.intp], weight: Field, level_db: float | Field, attenuation: float) -> None:
        """Draw a tissue over the existing content.

        Args:
            index: Samples, as positions in the flattened grid.
            weight: Covered fraction of each sample, 0 to 1.
            level_db: Level of the tissue's diffuse echo.
            attenuation: Round-trip attenuation of the tissue, dB per mm.
        """
        level, reflection, spared = (
            each.reshape(-1) for each in (self.level_db, self.reflection, self.spared_db_per_mm)
        )
        level[index] += (level_db - level[index]) * weight
        reflection[index] *= 1 - weight
        spared[index] += (np.float32(TISSUE_ATTENUATION - attenuation) - spared[index]) * weight

    def reflect(self, index: NDArray[np.intp], amplitude: Field) -> None:
        """Add a coherent echo to samples, given as positions in the flattened grid."""
        self.reflection.reshape(-1)[index] += amplitude

    def near(self, outline: Outline, margin: float) -> NDArray[np.intp]:
        """Positions in the flattened grid of the samples that may be within `margin` px of an outline."""
        e = outline.ellipse
        reach = np.float32(1.15 * e.semi_axis_a + margin)
        return np.flatnonzero(
            (np.abs(self.x - np.float32(e.center_x)) < reach) & (np.abs(self.y - np.float32(e.center_y)) < reach)
        )

    def facing(self, index: NDArray[np.intp], normal_x: Field, normal_y: Field) -> Field:
        """Absolute cosine between a normal and the beam at samples."""
        angle = self.grid.angles[index % len(self.grid.angles)]
        return np.abs(normal_x * np.sin(angle) + normal_y * np.cos(angle))


@dataclass(frozen=True, slots=True)
class Oval:
    """A piece of tissue, fluid or bone.

    Attributes:
        outline: Its outline.
        level_db: Level of its diffuse echo.
        rim_db: Level of its outline's reflection where the beam meets it at a right angle; None for no rim.
        attenuation: Its round-trip attenuation, dB per mm.
    """

    outline: Outline
    level_db: float
    rim_db: float | None = None
    attenuation: float = TISSUE_ATTENUATION

    def paint(self, scene: Scene) -> None:
        """Draw it over the existing content."""
        index = scene.near(self.outline, margin=6)
        x, y = scene.x.reshape(-1)[index], scene.y.reshape(-1)[index]
        at = self.outline.coordinates(x, y)
        weight = np.clip(np.float32(0.5) - at.distance / np.float32(_EDGE_PX), 0, 1)
        scene.cover(index, weight, np.float32(self.level_db), self.attenuation)
        if self.rim_db is not None:
            strength = np.float32(10 ** (self.rim_db / 20)) * scene.facing(index, at.normal_x, at.normal_y) ** 4
            scene.reflect(index, strength * np.exp(-((at.distance / np.float32(_EDGE_PX)) ** 2)))
