from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.biometry import Ellipse, HeadMeasurement, measure_head, measurement_quality

SHAPE = (200, 260)
HEAD = Ellipse(130.0, 100.0, 80.0, 60.0, 0.3)
MASK = HEAD.rasterise(SHAPE)


def test_a_certain_ellipse_is_not_doubted() -> None:
    quality = measurement_quality(MASK.astype(float) * 0.98, HEAD)
    assert quality.ellipse_overlap == quality.visible_outline == 1
    assert quality.mean_probability == pytest.approx(0.98)
    assert quality.doubts == []


@given(st.floats(0.51, 1))
@settings(max_examples=20, deadline=None)
def test_the_mean_probability_is_that_inside_the_ellipse(probability: float) -> None:
    quality = measurement_quality(np.where(MASK, probability, 0.4), HEAD)
    assert quality.mean_probability == pytest.approx(probability)
    assert quality.doubts == (
        [f"the mean probability inside the ellipse is only {probability:.1%}"] if probability < 0.96 else []
    )


def test_a_second_part_of_the_mask_counts_against_the_overlap() -> None:
    second = Ellipse(25.0, 170.0, 22.0, 18.0, 0.0).rasterise(SHAPE)
    expected = 2 * MASK.sum() / (2 * MASK.sum() + second.sum())
    quality = measurement_quality((MASK | second).astype(float), HEAD)
    assert quality.ellipse_overlap == pytest.approx(expected)
    assert quality.doubts == [f"the mask and the ellipse overlap by only {expected:.1%} (Dice)"]


@pytest.mark.parametrize("quarter_turns", range(4))
def test_of_a_head_cut_in_half_by_the_edge_half_of_the_outline_is_visible(quarter_turns: int) -> None:
    cut = Ellipse(-0.5, 100.0, 80.0, 60.0, 0.0).rasterise(SHAPE)
    head = measure_head(np.rot90(cut, quarter_turns))
    assert isinstance(head, HeadMeasurement)
    quality = measurement_quality(np.rot90(cut, quarter_turns).astype(float), head.ellipse_px)
    assert quality.visible_outline == pytest.approx(0.5, abs=0.02)
    assert quality.doubts[0] == f"only {quality.visible_outline:.0%} of the ellipse's outline is inside the frame"


def test_an_ellipse_beside_the_map_is_doubted() -> None:
    quality = measurement_quality(MASK.astype(float), Ellipse(1000.0, 100.0, 80.0, 60.0, 0.3))
    assert (quality.ellipse_overlap, quality.visible_outline, quality.mean_probability) == (0, 0, 0)
    assert len(quality.doubts) == 3
