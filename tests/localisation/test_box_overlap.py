import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.localisation import box_overlap


def mask_of(box: Box) -> np.ndarray:
    mask = np.zeros((24, 24), dtype=bool)
    mask[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)] = True
    return mask


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x_min, y_min = draw(st.integers(0, 15)), draw(st.integers(0, 15))
    return Box(x_min, y_min, x_min + draw(st.integers(1, 8)), y_min + draw(st.integers(1, 8)))


@given(boxes(), boxes())
def test_overlap_is_the_intersection_over_union_of_the_pixels(box: Box, reference: Box) -> None:
    a, b = mask_of(box), mask_of(reference)
    assert box_overlap(box, reference) == pytest.approx((a & b).sum() / (a | b).sum(), abs=1e-6)


def test_a_missed_region_overlaps_by_nothing() -> None:
    nothing = FailedEstimate("nothing stands out")
    assert not nothing
    assert nothing.reason == "nothing stands out"
    assert box_overlap(nothing, Box(0, 0, 4, 4)) == 0


@pytest.mark.parametrize("reference", [Box(3, 0, 3, 5), Box(4, 0, 3, 5), Box(0, 5, 5, 0), Box(0, 0, float("nan"), 5)])
def test_an_experts_box_without_pixels_is_refused(reference: Box) -> None:
    with pytest.raises(ValueError, match=r"x_min < x_max and y_min < y_max, got Box\("):
        box_overlap(Box(0, 0, 4, 4), reference)
