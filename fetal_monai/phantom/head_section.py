"""An axial section of the head, painted into its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fetal_monai.phantom.acquisition import TISSUE_ATTENUATION
from fetal_monai.phantom.brain import Brain
from fetal_monai.phantom.head import HeadCoordinates, Skull

Field = NDArray[np.float32]

_BRAIN_ATTENUATION = 0.14  # dB per mm there and back


def paint_head(
    skull: Skull, brain: Brain, at: HeadCoordinates, level_db: Field, reflection: Field, spared_db_per_mm: Field
) -> None:
    """Paint skull and brain over what lies around them; all fields are (depths, beams) and changed in place.

    Args:
        skull: The skull.
        brain: What lies inside it.
        at: Where every sample lies relative to the head.
        level_db: Level of the diffuse echo.
        reflection: Amplitude of the coherent echo.
        spared_db_per_mm: What each sample takes less than the time gain makes up for.
    """
    skull_depth = skull.depth_mm(at)
    bone = skull.bone(at, skull_depth)
    inside = skull_depth < np.float32(-0.5 * skull.thickness_mm)
    level_db[inside] = brain.level_db(at, inside)
    # The bone's own diffuse echo keeps the sides of the head faintly visible, where nothing is reflected.
    level_db += (np.float32(skull.echo_db - 18) - level_db) * bone * np.float32(0.7)
    reflection *= skull_depth > 0
    reflection[inside] += brain.reflection(at, inside)
    reflection += skull.reflection(at, skull_depth, bone)
    spared_db_per_mm[inside] = TISSUE_ATTENUATION - _BRAIN_ATTENUATION
    spared_db_per_mm -= np.float32(skull.attenuation_db_per_mm) * bone
