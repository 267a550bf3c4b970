import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from fetal_monai.geometry import Sector

SECTOR = Sector(80, -30, 40, 140, -0.4, 0.5)
points = st.tuples(st.floats(-200, 1000), st.floats(0, 800)).map(np.array)
aspects = st.floats(0.3, 3)


@settings(max_examples=50, deadline=None)
@given(point=points, apex_x=st.floats(-100, 900), apex_y=st.floats(-600, -1), aspect=aspects)
def test_a_point_comes_back_from_polar_coordinates_and_from_fractions(
    point: np.ndarray, apex_x: float, apex_y: float, aspect: float
) -> None:
    sector = Sector(apex_x, apex_y, 10, 300, -0.3, 0.6, aspect)
    assert_allclose(sector.cartesian(sector.polar(point)), point, atol=1e-8)
    assert_allclose(sector.from_fractions(sector.to_fractions(point)), point, atol=1e-8)


def test_angles_run_from_straight_down_to_the_right() -> None:
    radius, angle = SECTOR.polar(np.array([[80, 20], [100, -10], [60, -10]])).T
    assert_allclose(radius, [50, 20 * math.sqrt(2), 20 * math.sqrt(2)])
    assert_allclose(angle, [0, math.pi / 4, -math.pi / 4])


@settings(max_examples=25, deadline=None)
@given(point=points, row_mm=st.floats(0.05, 0.5), column_mm=st.floats(0.05, 0.5))
def test_with_pixels_that_are_not_square_radius_and_angle_are_those_in_tissue(
    point: np.ndarray, row_mm: float, column_mm: float
) -> None:
    sector = Sector.from_mm((20.0, -8.0), (10.0, 60.0), (-0.4, 0.5), (row_mm, column_mm))

    radius, angle = sector.polar(point)

    right_mm, down_mm = point[0] * column_mm - 20, point[1] * row_mm + 8
    assert radius * column_mm == pytest.approx(math.hypot(right_mm, down_mm))
    assert angle == pytest.approx(math.atan2(right_mm, down_mm))
    assert sector.end_radius * column_mm == pytest.approx(60)


def test_start_belongs_to_the_sector_and_end_does_not() -> None:
    inside = Sector(2, 0, 3, 6, -0.5, 0.5).contains((8, 5))
    assert_array_equal(np.flatnonzero(inside[:, 2]), [3, 4, 5])


@settings(max_examples=25, deadline=None)
@given(point=points, x_scale=st.floats(0.2, 4), y_scale=st.floats(0.2, 4), aspect=aspects)
def test_resizing_the_image_leaves_places_in_the_sector_as_they_are(
    point: np.ndarray, x_scale: float, y_scale: float, aspect: float
) -> None:
    sector = Sector(80, -30, 40, 140, -0.4, 0.5, aspect)
    resized = (point + 0.5) * [x_scale, y_scale] - 0.5
    assert_allclose(sector.scaled(x_scale, y_scale).to_fractions(resized), sector.to_fractions(point), atol=1e-9)


def test_moving_the_image_moves_the_apex() -> None:
    assert SECTOR.moved(7, -3) == Sector(87, -33, 40, 140, -0.4, 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"apex_x": math.nan}, "apex_x of a sector must be finite, got nan"),
        ({"start_radius": -1}, "start_radius=-1"),
        ({"end_radius": 40}, "end_radius=40"),
        ({"start_angle_rad": 0.5}, "start_angle_rad=0.5"),
        ({"end_angle_rad": 40.7}, r"in radians \(not degrees\).*end_angle_rad=40.7"),
        ({"pixel_aspect_ratio": 0}, "pixel_aspect_ratio.* must be positive, got 0"),
    ],
)
def test_an_impossible_sector_is_refused_by_the_value(change: dict[str, Any], message: str) -> None:
    values = {name: getattr(SECTOR, name) for name in Sector.__slots__}
    with pytest.raises(ValueError, match=message):
        Sector(**{**values, **change})


def test_impossible_arguments_are_refused_by_the_value() -> None:
    with pytest.raises(ValueError, match=r"pixel_spacing_mm must be .* got \(0, 1\)"):
        Sector.from_mm((0, 0), (1, 2), (-0.1, 0.1), (0, 1))
    with pytest.raises(ValueError, match="x_scale must be a positive finite number, got 0"):
        SECTOR.scaled(0, 1)
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        SECTOR.polar(np.zeros(3))
    with pytest.raises(ValueError, match=r"got \(0, 5\)"):
        SECTOR.contains((0, 5))
