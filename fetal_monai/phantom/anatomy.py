"""The anatomy of a class on a frame, composed of ovals or drawn in another way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fetal_monai.phantom.acquisition import TISSUE_ATTENUATION
from fetal_monai.phantom.outline import Outline
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Oval, Scene
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

FLUID_ATTENUATION = 0.02
"""Round-trip attenuation of amniotic fluid and blood, dB per mm."""


class Anatomy(Protocol):
    """A region of the fetus or the uterus on one frame."""

    @property
    def name(self) -> str:
        """Name of its class."""

    def paint(self, scene: Scene) -> None:
        """Draw it over the existing content."""

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of a screen (H, W) that it covers."""


@dataclass(frozen=True, slots=True)
class OvalAnatomy:
    """A region made of ovals.

    Attributes:
        name: Name of its class.
        ovals: The ovals, in drawing order.
        extent: The ovals that belong to the class; their union is the region.
    """

    name: str
    ovals: tuple[Oval, ...]
    extent: tuple[Oval, ...]

    def paint(self, scene: Scene) -> None:
        """Draw it over the existing content."""
        for oval in self.ovals:
            oval.paint(scene)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of a screen (H, W) that it covers."""
        return reduce(np.logical_or, (oval.outline.mask(shape) for oval in self.extent))


def part(
    place: Place,
    along: float,
    across: float,
    half_length: float,
    half_width: float,
    tilt_rad: float = 0.0,
    *,
    level_db: float,
    rim_db: float | None = None,
    attenuation: float = TISSUE_ATTENUATION,
    ripple: ClosedCurveNoise | None = None,
) -> Oval:
    """An oval in a body's own coordinates, see `Place.ellipse`, `Outline` and `Oval`."""
    outline = Outline(place.ellipse(along, across, half_length, half_width, tilt_rad), ripple)
    return Oval(outline, float(level_db), rim_db, attenuation)
