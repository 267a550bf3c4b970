"""The spine along its length: two or three rows of vertebral echoes."""

from __future__ import annotations

import numpy as np

from fetal_monai.phantom.anatomy import OvalAnatomy, part
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.scene import Oval
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

_BONE_ATTENUATION = 1.6  # dB per mm (round trip), of ossifying cartilage


def draw_spine(rng: np.random.Generator, place: Place) -> OvalAnatomy:
    """Rows of ossification centres on both sides of the canal, in the soft tissue of the back.

    In the coronal plane the laminae form two rows and the vertebral bodies a third between them; in the sagittal plane
    there are two. The rows converge at the sacrum, towards +along.

    Args:
        rng: Source of the random numbers.
        place: Its place; the radius is half of the spine's length.
    """
    back_db = rng.normal(-39, 2.5)
    strength_db = rng.uniform(-24, -15)
    ripple = ClosedCurveNoise.random(rng, 2, 8, rms=float(rng.uniform(0.02, 0.05)))
    bend = rng.uniform(-0.16, 0.16)
    gap = rng.uniform(0.055, 0.1)
    trunk = part(
        place,
        0,
        rng.uniform(-0.1, 0.1),
        1.2,
        rng.uniform(0.35, 0.6),
        level_db=back_db,
        rim_db=rng.uniform(-32, -16),
        ripple=ripple,
    )
    organs = [
        part(
            place,
            rng.uniform(-0.8, 0.8),
            rng.choice((-1, 1)) * rng.uniform(0.12, 0.3),
            rng.uniform(0.1, 0.35),
            rng.uniform(0.06, 0.14),
            rng.normal(0, 0.3),
            level_db=back_db + rng.normal(0, 5),
        )
        for _ in range(rng.integers(2, 7))
    ]
    count = int(rng.integers(12, 21))
    sides = (-1, 0, 1) if rng.random() < 0.4 else (-1, 1)
    positions = np.linspace(-0.96, 0.96, count)
    pitch = positions[1] - positions[0]
    canal = [
        part(place, at, bend * at**2, 0.8 * pitch, 0.8 * gap, level_db=back_db - 8)
        for at in positions[: int(0.9 * count)]
    ]
    vertebrae: list[Oval] = []
    for side in sides:
        for at in positions:
            width = gap * (1 + 0.25 * np.exp(-(((at + 0.55) / 0.25) ** 2)) - 0.75 * max(at - 0.4, 0))
            vertebrae.append(
                part(
                    place,
                    at + rng.normal(0, 0.05) * pitch,
                    bend * at**2 + side * width + rng.normal(0, 0.006),
                    pitch * rng.uniform(0.2, 0.34),
                    rng.uniform(0.016, 0.028),
                    level_db=strength_db + rng.normal(0, 3),
                    attenuation=_BONE_ATTENUATION,
                )
            )
    return OvalAnatomy("spine", (trunk, *organs, *canal, *vertebrae), tuple(vertebrae))
