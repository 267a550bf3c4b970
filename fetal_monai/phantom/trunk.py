"""Cross-sections of the fetal trunk: thorax with heart, lungs and ribs; abdomen with stomach and umbilical vein."""

from __future__ import annotations

import math

import numpy as np

from fetal_monai.phantom.anatomy import FLUID_ATTENUATION, OvalAnatomy, part
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Oval
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

_RIB_ATTENUATION = 3.0  # dB per mm (round trip)


def draw_thorax(rng: np.random.Generator, place: Place) -> OvalAnatomy:
    """A transverse section at the level of the four chambers; the spine is towards +across.

    Args:
        rng: Source of the random numbers.
        place: Its place; the radius is half of the width from side to side.
    """
    depth = rng.uniform(0.8, 0.96)
    body = _body(rng, place, depth, level_db=rng.normal(-37, 2.5))
    lung_db = body.level_db + rng.uniform(-1, 5)
    lungs = [
        part(
            place, side * 0.46, 0.05, 0.38, 0.6 * depth, level_db=lung_db + rng.normal(0, 0.7), ripple=_unevenness(rng)
        )
        for side in (-1, 1)
    ]
    heart = place.inner(
        rng.uniform(0.05, 0.25), rng.uniform(-0.25, -0.05), rng.uniform(0.36, 0.5), rng.uniform(-1.1, -0.5)
    )
    return OvalAnatomy(
        "thorax",
        (body, *lungs, *_heart(rng, heart), *_spine(rng, place, depth), *_ribs(rng, place, depth, (3, 6))),
        (body,),
    )


def draw_abdomen(rng: np.random.Generator, place: Place) -> OvalAnatomy:
    """A transverse section at the level of the stomach; the spine is towards +across.

    Args:
        rng: Source of the random numbers.
        place: Its place; the radius is half of the width from side to side.
    """
    depth = rng.uniform(0.86, 1.0)
    body = _body(rng, place, depth, level_db=rng.normal(-37, 2.5))
    blood_db = rng.normal(-57, 3)
    liver = part(
        place, -0.25, -0.12, 0.6, 0.66 * depth, level_db=body.level_db + rng.uniform(0, 3), ripple=_unevenness(rng)
    )
    stomach = part(
        place,
        rng.uniform(0.34, 0.5),
        rng.uniform(-0.12, 0.2),
        rng.uniform(0.17, 0.3),
        rng.uniform(0.1, 0.18),
        rng.uniform(0.6, 1.6),
        level_db=blood_db,
        rim_db=-28,
        attenuation=FLUID_ATTENUATION,
        ripple=_unevenness(rng),
    )
    # The umbilical vein: a dark band from the front, bent towards the liver.
    width = rng.uniform(0.035, 0.06)
    start, bend = rng.uniform(-0.6, -0.35), rng.uniform(0.5, 1.2)
    vein = []
    x, y, heading = rng.uniform(-0.08, 0.08), start * depth, math.pi / 2
    for _ in range(6):
        vein.append(
            part(place, x, y, 0.09, width, heading, level_db=blood_db, rim_db=-29, attenuation=FLUID_ATTENUATION)
        )
        x, y, heading = x + 0.1 * math.cos(heading), y + 0.1 * math.sin(heading), heading + bend / 6
    return OvalAnatomy(
        "abdomen",
        (body, liver, stomach, *vein, *_spine(rng, place, depth), *_ribs(rng, place, depth, (0, 3))),
        (body,),
    )


def _body(rng: np.random.Generator, place: Place, depth: float, level_db: float) -> Oval:
    ripple = ClosedCurveNoise.random(rng, 2, 5, rms=float(rng.uniform(0.01, 0.03)))
    return part(place, 0, 0, 1, depth, level_db=level_db, rim_db=rng.uniform(-24, -12), ripple=ripple)


def _heart(rng: np.random.Generator, heart: Place) -> list[Oval]:
    """Myocardium with four chambers; the apex is towards +along."""
    muscle_db, blood_db = rng.normal(-34, 2), rng.normal(-58, 3)
    muscle = part(heart, 0, 0, 1, rng.uniform(0.72, 0.85), level_db=muscle_db, rim_db=-26, ripple=_unevenness(rng))
    chambers = [
        part(
            heart,
            along + rng.normal(0, 0.03),
            side * across,
            half_length,
            half_width * rng.uniform(0.85, 1.1),
            -side * 0.15,
            level_db=blood_db,
            rim_db=-30,
            attenuation=FLUID_ATTENUATION,
            ripple=_unevenness(rng),
        )
        for along, across, half_length, half_width in ((0.26, 0.33, 0.44, 0.22), (-0.5, 0.31, 0.24, 0.24))
        for side in (-1, 1)
    ]
    return [muscle, *chambers]


def _spine(rng: np.random.Generator, place: Place, depth: float) -> list[Oval]:
    """A vertebra in cross-section, three echoes around the canal, and the aorta in front of it."""
    size = rng.uniform(0.8, 1.25)
    canal = part(place, 0, 0.75 * depth, 0.09 * size, 0.08 * size, level_db=-50)
    bones = [
        part(
            place,
            along * size,
            across * depth,
            0.075 * size,
            0.055 * size,
            tilt,
            level_db=rng.normal(-17, 2),
            rim_db=-16,
            attenuation=_RIB_ATTENUATION,
        )
        for along, across, tilt in ((0, 0.62, 0.0), (-0.13, 0.8, 1.0), (0.13, 0.8, -1.0))
    ]
    aorta = part(
        place,
        rng.uniform(0.08, 0.18),
        0.45 * depth,
        0.055,
        0.055,
        level_db=-56,
        rim_db=-30,
        attenuation=FLUID_ATTENUATION,
    )
    return [canal, *bones, aorta]


def _ribs(rng: np.random.Generator, place: Place, depth: float, number: tuple[int, int]) -> list[Oval]:
    """Thin bones along the wall, `number[0]` to `number[1]` - 1 on each side."""
    ribs = []
    for side in (-1, 1):
        # From the posterior flank to near the sternum; the spine is at +pi/2.
        angles = np.linspace(0.85, -0.9, 5) + rng.normal(0, 0.08, 5)
        for angle in rng.permutation(angles)[: rng.integers(*number)]:
            along, across = 0.88 * math.cos(angle), 0.88 * depth * math.sin(angle)
            tangent = math.atan2(depth * math.cos(angle), -math.sin(angle))
            tilt = tangent if side > 0 else math.pi - tangent
            ribs.append(
                part(
                    place,
                    side * along,
                    across,
                    rng.uniform(0.1, 0.2),
                    rng.uniform(0.025, 0.04),
                    tilt,
                    level_db=rng.normal(-19, 2.5),
                    rim_db=-15,
                    attenuation=_RIB_ATTENUATION,
                )
            )
    return ribs


def _unevenness(rng: np.random.Generator) -> ClosedCurveNoise:
    return ClosedCurveNoise.random(rng, 2, 7, rms=0.06)
