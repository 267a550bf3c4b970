from __future__ import annotations

import numpy as np
import pytest

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.reporting.region_overlay import BOX_COLOUR, draw_region_overlay

SCORES = {"head": 0.9, "limbs": 0.4, "background": 0.1}


def test_heat_colours_its_place_and_nothing_else() -> None:
    heat = np.zeros((400, 800), np.float32)
    heat[:200, :400] = 1
    no_box = FailedEstimate("nothing stands out")
    picture = np.asarray(draw_region_overlay(np.full((400, 800), 100, np.float32), heat, no_box, "head", SCORES, ["a"]))
    assert picture.shape[1] == 800
    assert (picture[250:390, :] == 100).all()
    assert (picture[:390, 450:] == 100).all()
    # The colour map's brightest, at 55 % above a gray of 100.
    assert (picture[:190, :390].astype(int).min(axis=(0, 1)) > 100).all()
    assert len(np.unique(picture[:150, :350].reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize(("spacing", "width", "height"), [(None, 800, 400), ((2.0, 1.0), 800, 800)])
def test_the_box_lies_where_it_says_also_where_pixels_are_not_square(
    spacing: tuple[float, float] | None, width: int, height: int
) -> None:
    frame = np.full((100, 200), 50, np.float32)
    picture = draw_region_overlay(
        frame, np.zeros_like(frame), Box(20, 30, 120, 80), "head", SCORES, ["a"], pixel_spacing_mm=spacing
    )
    pixels = np.asarray(picture)[:height]
    assert picture.width == width
    rows, columns = np.nonzero((np.abs(pixels.astype(int) - BOX_COLOUR) < 60).all(axis=-1))
    scale_x, scale_y = width / 200, height / 100
    assert (columns.min(), columns.max() + 1) == pytest.approx((20 * scale_x, 120 * scale_x), abs=2)
    assert (rows.min(), rows.max() + 1) == pytest.approx((30 * scale_y, 80 * scale_y), abs=2)


def test_the_caption_differs_by_region_and_reason() -> None:
    frame = np.zeros((50, 60), np.float32)
    pictures = [
        draw_region_overlay(frame, frame, box, region, SCORES, ["a.png"])
        for box, region in (
            (FailedEstimate("flat"), "head"),
            (FailedEstimate("background: no region in sight"), "head"),
            (FailedEstimate("flat"), "limbs"),
        )
    ]
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert len({picture.size for picture in pictures}) == 1  # as a video needs it
