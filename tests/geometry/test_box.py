import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from fetal_monai.geometry import Box, PolarFrame, PolarGrid, box_edges, boxes_from_edges

numbers = st.integers(-1000, 1000)


def test_the_edges_of_a_box_enclose_the_pixels_that_it_holds() -> None:
    box = Box(3, 1, 7, 2)
    mask = np.zeros((5, 10), dtype=bool)
    mask[1:2, 3:7] = True
    rows, columns = np.nonzero(mask)
    left, top, right, bottom = box_edges(np.array([box]))[0]
    assert (left, right) == (columns.min() - 0.5, columns.max() + 0.5)
    assert (top, bottom) == (rows.min() - 0.5, rows.max() + 0.5)


@given(st.lists(st.builds(Box, numbers, numbers, numbers, numbers), min_size=1))
def test_boxes_come_back_from_their_edges(boxes: list[Box]) -> None:
    assert_array_equal(boxes_from_edges(box_edges(np.array(boxes))), boxes)


def test_the_polar_grid_takes_and_gives_boxes() -> None:
    twice_as_large = PolarGrid(PolarFrame((50, 60)), (100, 120), depth_trim=0)
    boxes = np.array([Box(0, 0, 60, 50), Box(3, 2, 8, 9)])
    assert_array_equal(twice_as_large.boxes_to_polar(boxes), boxes * 2)
    assert_array_equal(twice_as_large.boxes_to_frame(boxes * 2, (50, 60)), boxes)


def test_what_is_no_array_of_boxes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x_min, y_min, x_max, y_max, got shape \(4,\)"):
        box_edges(np.zeros(4))
