import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.outline import Outline
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise

ANGLES = st.floats(0, math.pi - 1e-3)


def test_the_distance_from_a_circle_is_that_from_its_centre_less_the_radius() -> None:
    rows, columns = np.indices((40, 60), dtype=np.float32)

    at = Outline(Ellipse(25, 18, 10, 10, 0)).coordinates(columns, rows)

    x, y = columns - 25, rows - 18
    far = np.hypot(x, y) > 0.5
    np.testing.assert_allclose(at.distance[far], np.hypot(x, y)[far] - 10, atol=1e-4)
    np.testing.assert_allclose(at.normal_x[far], (x / np.hypot(x, y).clip(1e-6))[far], atol=1e-5)
    np.testing.assert_allclose(at.normal_y[far], (y / np.hypot(x, y).clip(1e-6))[far], atol=1e-5)


@given(st.floats(5, 90), st.floats(5, 60), st.floats(4, 40), st.floats(0.2, 1), ANGLES)
def test_the_mask_is_the_ellipse_even_over_the_border(x: float, y: float, a: float, ratio: float, angle: float) -> None:
    ellipse = Ellipse(x, y, a, a * ratio, angle)

    different = Outline(ellipse).mask((64, 96)) ^ ellipse.rasterise((64, 96))

    # In single precision, only pixel centres on the line itself may be classified differently.
    rows, columns = np.nonzero(different)
    assert (np.abs(Outline(ellipse).coordinates(np.float32(columns), np.float32(rows)).distance) < 1e-2).all()


def test_the_points_of_an_ellipse_lie_on_the_outline_and_a_ripple_moves_them() -> None:
    ellipse = Ellipse(50, 40, 30, 20, 0.6)
    x, y = ellipse.points(200).T.astype(np.float32)
    assert np.abs(Outline(ellipse).coordinates(x, y).distance).max() < 1e-3

    ripple = ClosedCurveNoise.random(np.random.default_rng(0), 2, 6, rms=0.05)
    distance = Outline(ellipse, ripple).coordinates(x, y).distance
    assert 0.3 < distance.std() < 3
    assert np.abs(distance).max() < 0.2 * 30


@given(ANGLES, st.booleans(), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1.5, 1.5))
def test_an_inner_place_sees_what_its_body_sees(
    angle: float, mirrored: bool, along: float, across: float, tilt: float
) -> None:
    body = Place(50, 40, 20, angle, mirrored)
    inner = body.inner(along, across, 0.5, tilt)

    cos, sin = 0.5 * math.cos(tilt), 0.5 * math.sin(tilt)
    expected = body.point(along + 0.3 * cos - 0.7 * sin, across + 0.3 * sin + 0.7 * cos)
    np.testing.assert_allclose(inner.point(0.3, 0.7), expected, atol=1e-9)


@given(ANGLES, st.booleans(), st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(-1.5, 1.5))
def test_the_ends_of_an_ellipse_lie_where_the_place_says(
    angle: float, mirrored: bool, half_length: float, half_width: float, tilt: float
) -> None:
    place = Place(50, 40, 20, angle, mirrored)
    outline = Outline(place.ellipse(0.2, -0.4, half_length, half_width, tilt))

    cos, sin = math.cos(tilt), math.sin(tilt)
    ends = [
        place.point(0.2 + half_length * cos, -0.4 + half_length * sin),
        place.point(0.2 - half_width * sin, -0.4 + half_width * cos),
    ]
    x, y = np.array(ends, dtype=np.float32).T
    assert np.abs(outline.coordinates(x, y).distance).max() < 1e-2
