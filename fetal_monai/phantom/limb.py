"""A limb in longitudinal section: one or two long bones in soft tissue, straight or bent at the joint."""

from __future__ import annotations

import math

import numpy as np

from fetal_monai.phantom.anatomy import OvalAnatomy, part
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Oval
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

_BONE_ATTENUATION = 5.0  # dB per mm (round trip)


def draw_limb(rng: np.random.Generator, place: Place) -> OvalAnatomy:
    """A thigh or upper arm; occasionally the lower limb alone (two bones), or both with the joint bent.

    Args:
        rng: Source of the random numbers.
        place: Its place; the radius is half of the first bone's length.
    """
    flesh_db, rim_db = rng.normal(-37, 2.5), rng.uniform(-30, -16)
    flesh, bones = _segment(rng, place, flesh_db, rim_db, paired=rng.random() < 0.3)
    if rng.random() < 0.35:
        bend = rng.uniform(0.6, 1.9)
        length = rng.uniform(0.6, 0.85)
        # The joint is at the end of the first bone.
        lower = place.inner(1.08 + length * math.cos(bend), length * math.sin(bend), length, bend)
        lower_flesh, lower_bones = _segment(rng, lower, flesh_db, rim_db, paired=rng.random() < 0.6)
        flesh, bones = [*flesh, *lower_flesh], [*bones, *lower_bones]
    return OvalAnatomy("limbs", (*flesh, *bones), tuple(flesh))


def _segment(
    rng: np.random.Generator, place: Place, flesh_db: float, rim_db: float, paired: bool
) -> tuple[list[Oval], list[Oval]]:
    ripple = ClosedCurveNoise.random(rng, 2, 8, rms=float(rng.uniform(0.02, 0.06)))
    flesh = part(place, 0, 0, 1.22, rng.uniform(0.3, 0.45), level_db=flesh_db, rim_db=rim_db, ripple=ripple)
    bend = rng.uniform(-0.06, 0.06)
    thickness = rng.uniform(0.035, 0.055)
    strength_db = rng.normal(-13, 2)
    bones = []
    for shift, length in ((-0.15, 0.95), (0.15, 0.85)) if paired else ((rng.uniform(-0.08, 0.08), 1.0),):
        # Overlapping pieces follow the curve of the shaft; its ends are slightly thicker.
        for at in np.linspace(-0.9, 0.9, 9):
            bones.append(
                part(
                    place,
                    length * at,
                    shift + bend * (1 - at**2),
                    0.2 * length,
                    thickness * (1 + 0.5 * at**4),
                    -2 * bend * at,
                    level_db=strength_db + rng.normal(0, 1),
                    attenuation=_BONE_ATTENUATION,
                )
            )
    cartilage = [part(place, side * 1.06, 0, 0.1, 0.13, level_db=flesh_db - 8) for side in (-1, 1)]
    return [flesh], [*cartilage, *bones]
