"""Distractors, which are visible but belong to no class: cord loops, fibroids, the mother's bladder, bowel gas."""

from __future__ import annotations

import math

import numpy as np

from fetal_monai.phantom.anatomy import FLUID_ATTENUATION, part
from fetal_monai.phantom.outline import Outline
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Oval
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise


def draw_distractor(rng: np.random.Generator, place: Place) -> list[Oval]:
    """Draw a distractor, so that no class is the only one with a round shape, a line, a shadow or a dark patch."""
    draw = (_cord, _fibroid, _bladder, _gas)[rng.integers(4)]
    return draw(rng, place)


def _cord(rng: np.random.Generator, place: Place) -> list[Oval]:
    """Loops of the umbilical cord: a chain of rings with two or three dark vessels in each."""
    rings = []
    heading, along, across = rng.uniform(0, 2 * math.pi), 0.0, 0.0
    for _ in range(rng.integers(2, 6)):
        size, level_db, rim_db = rng.uniform(0.2, 0.28), rng.normal(-36, 2), rng.normal(-24, 3)
        rings.append(part(place, along, across, size, 0.85 * size, heading, level_db=level_db, rim_db=rim_db))
        rings += [
            part(
                place,
                along + 0.45 * size * math.cos(turn),
                across + 0.45 * size * math.sin(turn),
                0.3 * size,
                0.25 * size,
                level_db=-56,
                attenuation=FLUID_ATTENUATION,
            )
            for turn in rng.uniform(0, 2 * math.pi) + np.array([0.0, 2.1, 4.2])
        ]
        along, across = along + 0.45 * math.cos(heading), across + 0.45 * math.sin(heading)
        heading += rng.normal(0, 0.7)
    return rings


def _fibroid(rng: np.random.Generator, place: Place) -> list[Oval]:
    """A round mass of muscle, slightly darker than its surroundings, with whorls and a weak shadow."""
    ripple = ClosedCurveNoise.random(rng, 2, 6, rms=0.03)
    level_db = rng.normal(-43, 2.5)
    outline = Outline(place.ellipse(0, 0, 1, rng.uniform(0.75, 1)), ripple)
    whorls = [
        part(
            place,
            rng.uniform(-0.5, 0.5),
            rng.uniform(-0.5, 0.5),
            rng.uniform(0.1, 0.35),
            rng.uniform(0.05, 0.12),
            rng.uniform(0, math.pi),
            level_db=level_db + rng.normal(0, 4),
        )
        for _ in range(rng.integers(2, 7))
    ]
    return [Oval(outline, float(level_db), float(rng.uniform(-30, -18)), attenuation=0.4), *whorls]


def _bladder(rng: np.random.Generator, place: Place) -> list[Oval]:
    """A dark patch with a bright wall."""
    return [
        part(
            place,
            0,
            0,
            1,
            rng.uniform(0.4, 0.75),
            level_db=rng.normal(-60, 3),
            rim_db=rng.uniform(-26, -14),
            attenuation=FLUID_ATTENUATION,
        )
    ]


def _gas(rng: np.random.Generator, place: Place) -> list[Oval]:
    """Bowel gas: a bright uneven line that casts a shadow."""
    return [
        part(
            place,
            along,
            rng.normal(0, 0.06),
            rng.uniform(0.12, 0.3),
            rng.uniform(0.03, 0.07),
            rng.normal(0, 0.3),
            level_db=rng.normal(-17, 3),
            rim_db=-15,
            attenuation=3.0,
        )
        for along in np.linspace(-0.7, 0.7, rng.integers(3, 8))
    ]
