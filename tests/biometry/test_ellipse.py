import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eig
from scipy.special import ellipe
from skimage.measure import points_in_poly

from fetal_monai.biometry import Ellipse, fit_ellipse
from fetal_monai.failed_estimate import FailedEstimate

angles = st.floats(0, math.pi, exclude_max=True)
scales = st.floats(0.05, 5)


@st.composite
def ellipses(draw: st.DrawFn) -> Ellipse:
    b = draw(st.floats(15, 60))
    a = b * draw(st.floats(1.05, 1.8))
    return Ellipse(draw(st.floats(90, 150)), draw(st.floats(90, 150)), a, b, draw(angles))


def exact_perimeter(a: float, b: float) -> float:
    """The complete elliptic integral of the second kind, to machine precision."""
    return 4 * a * float(ellipe(1 - (b / a) ** 2))


def angle_between_lines(first: float, second: float) -> float:
    return abs((first - second + math.pi / 2) % math.pi - math.pi / 2)


@pytest.mark.parametrize("ratio", [1.0, 0.9, 0.7, 0.5, 0.3])
def test_perimeter_is_the_elliptic_integral(ratio: float) -> None:
    a = 123.4
    assert Ellipse(0, 0, a, ratio * a, 0.3).perimeter == pytest.approx(exact_perimeter(a, ratio * a), rel=1e-6)


def test_perimeter_of_a_circle_is_two_pi_r() -> None:
    assert Ellipse(0, 0, 10, 10, 0).perimeter == pytest.approx(20 * math.pi, rel=1e-15)


@given(ellipses())
@settings(deadline=None)
def test_points_lie_on_the_ellipse(ellipse: Ellipse) -> None:
    """The distances of a point to the two foci sum to the long axis."""
    focal_distance = math.sqrt(ellipse.semi_axis_a**2 - ellipse.semi_axis_b**2)
    direction = np.array([math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)])
    center = np.array([ellipse.center_x, ellipse.center_y])
    points = ellipse.points(50)
    assert points.shape == (50, 2)
    distances = sum(np.linalg.norm(points - center - sign * focal_distance * direction, axis=1) for sign in (-1, 1))
    np.testing.assert_allclose(distances, 2 * ellipse.semi_axis_a)


def test_angle_runs_from_columns_towards_lower_rows() -> None:
    end_of_long_axis = Ellipse(50, 50, 30, 10, math.pi / 4).points(4)[0]
    np.testing.assert_allclose(end_of_long_axis, 50 + 30 / math.sqrt(2))
    mask = Ellipse(50, 50, 30, 10, math.pi / 4).rasterise((101, 101))
    assert mask[65, 65] and mask[35, 35]
    assert not mask[35, 65] and not mask[65, 35]


@given(ellipses(), scales, scales)
@settings(deadline=None)
def test_scaled_ellipse_passes_through_the_scaled_points(ellipse: Ellipse, x_scale: float, y_scale: float) -> None:
    scaled = ellipse.scaled(x_scale, y_scale)
    x, y = (ellipse.points(40) * [x_scale, y_scale] - [scaled.center_x, scaled.center_y]).T
    cos, sin = math.cos(scaled.angle_rad), math.sin(scaled.angle_rad)
    on_outline = ((x * cos + y * sin) / scaled.semi_axis_a) ** 2 + ((y * cos - x * sin) / scaled.semi_axis_b) ** 2
    np.testing.assert_allclose(on_outline, 1, rtol=1e-9)


@given(ellipses(), scales, scales)
@settings(deadline=None)
def test_scaling_back_gives_the_same_ellipse(ellipse: Ellipse, x_scale: float, y_scale: float) -> None:
    back = ellipse.scaled(x_scale, y_scale).scaled(1 / x_scale, 1 / y_scale)
    for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
        assert getattr(back, name) == pytest.approx(getattr(ellipse, name), rel=1e-9)
    assert angle_between_lines(back.angle_rad, ellipse.angle_rad) < 1e-6


@given(ellipses(), st.floats(0.05, 1), st.floats(0.05, 1))
@settings(deadline=None)
def test_perimeter_with_unequal_spacing_is_the_length_of_the_scaled_outline(
    ellipse: Ellipse, x_scale: float, y_scale: float
) -> None:
    outline = ellipse.points(20000) * [x_scale, y_scale]
    length = np.linalg.norm(np.diff(outline, axis=0, append=outline[:1]), axis=1).sum()
    # Ramanujan's approximation itself is off by 5e-4 for an ellipse forty times as long as wide.
    assert ellipse.scaled(x_scale, y_scale).perimeter == pytest.approx(length, rel=2e-3)


@given(ellipses())
@settings(max_examples=30, deadline=None)
def test_rasterised_pixels_are_those_inside_the_outline(ellipse: Ellipse) -> None:
    shape = (200, 230)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    # The quadratic form of the implicit equation, by matrix inversion instead of rotated coordinates.
    rotation = np.array(
        [
            [math.cos(ellipse.angle_rad), -math.sin(ellipse.angle_rad)],
            [math.sin(ellipse.angle_rad), math.cos(ellipse.angle_rad)],
        ]
    )
    covariance = rotation @ np.diag([ellipse.semi_axis_a**2, ellipse.semi_axis_b**2]) @ rotation.T
    offsets = np.stack([columns - ellipse.center_x, rows - ellipse.center_y], axis=-1)
    form = np.einsum("...i,ij,...j->...", offsets, np.linalg.inv(covariance), offsets)
    mask = ellipse.rasterise(shape)
    assert mask.dtype == bool and mask.shape == shape
    decided = abs(form - 1) > 1e-9
    np.testing.assert_array_equal(mask[decided], (form < 1)[decided])


def test_rasterise_cuts_at_the_border() -> None:
    ellipse = Ellipse(2, 30, 40, 25, 0.4)
    mask = ellipse.rasterise((50, 60))
    pixels = np.stack(np.meshgrid(np.arange(60), np.arange(50)), axis=-1).reshape(-1, 2)
    expected = points_in_poly(pixels, ellipse.points(100_000)).reshape(50, 60)
    np.testing.assert_array_equal(mask, expected)
    assert mask[:, 0].any()


def test_rasterise_outside_the_frame_is_empty() -> None:
    assert not Ellipse(500, 500, 40, 25, 0.4).rasterise((50, 60)).any()


@given(ellipses(), st.integers(8, 100))
@settings(deadline=None)
def test_fit_finds_the_ellipse_its_points_came_from(ellipse: Ellipse, count: int) -> None:
    fit = fit_ellipse(ellipse.points(count))
    for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
        assert getattr(fit, name) == pytest.approx(getattr(ellipse, name), rel=1e-6)
    assert angle_between_lines(fit.angle_rad, ellipse.angle_rad) < 1e-5


@pytest.mark.parametrize("seed", range(20))
def test_fit_is_the_constrained_minimum(seed: int) -> None:
    """Fitzgibbon's original formulation: the 6x6 generalised eigenproblem of scatter and constraint matrix."""
    random = np.random.default_rng(seed)
    points = Ellipse(0.2, -0.1, 1.3, 0.9, random.uniform(0, 3)).points(100) + random.normal(0, 0.03, (100, 2))
    x, y = points.T
    design = np.stack([x**2, x * y, y**2, x, y, np.ones_like(x)], axis=1)
    constraint = np.zeros((6, 6))
    constraint[0, 2] = constraint[2, 0] = 2
    constraint[1, 1] = -1
    values, vectors = eig(constraint, design.T @ design)
    a, b, c, d, e, f = vectors[:, values.real.argmax()].real
    fit = fit_ellipse(points)
    x, y = fit.points(50).T
    # The fitted outline solves the reference's equation, and their centres agree.
    np.testing.assert_allclose(a * x**2 + b * x * y + c * y**2 + d * x + e * y + f, 0, atol=1e-8)
    center = np.linalg.solve([[2 * a, b], [b, 2 * c]], [-d, -e])
    np.testing.assert_allclose([fit.center_x, fit.center_y], center, atol=1e-8)


def test_fit_does_not_depend_on_where_the_points_lie() -> None:
    ellipse = Ellipse(0, 0, 30, 20, 1.0)
    far = fit_ellipse(ellipse.points() + 1e6)
    assert far.perimeter == pytest.approx(ellipse.perimeter, rel=1e-6)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.zeros((0, 2)), "at least 5 points, got 0"),
        (np.ones((4, 2)), "at least 5 points, got 4"),
        (np.ones((40, 2)), "on one line"),
        (np.stack([np.arange(40), 3 * np.arange(40)], axis=1), "on one line"),
        (np.full((40, 2), np.nan), "not finite"),
        (np.array([[0, 0], [1, 0], [0, 1]] * 4), "more than one ellipse"),
        (np.array([[0, 0], [1, 0], [0, 1], [1, 1]] * 4), "more than one ellipse"),
        (np.stack([np.cosh(np.linspace(-2, 2, 9)), np.sinh(np.linspace(-2, 2, 9))], axis=1), "no ellipse fits"),
        (np.stack([np.linspace(-2, 2, 9), np.linspace(-2, 2, 9) ** 2], axis=1), "no ellipse fits"),
    ],
)
def test_fit_that_fails_says_why(points: np.ndarray, reason: str) -> None:
    fit = fit_ellipse(points)
    assert not fit
    assert isinstance(fit, FailedEstimate)
    assert reason in fit.reason


def test_points_of_the_wrong_shape_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\).*\(7, 3\)"):
        fit_ellipse(np.zeros((7, 3)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 0, 10, 20, 0), "semi_axis_a >= semi_axis_b > 0"),
        ((0, 0, 10, 0, 0), "semi_axis_a >= semi_axis_b > 0"),
        ((0, 0, -10, -20, 0), "semi_axis_a >= semi_axis_b > 0"),
        ((0, float("nan"), 20, 10, 0), "center_y"),
        ((0, 0, float("inf"), 10, 0), "semi_axis_a"),
    ],
)
def test_impossible_ellipse_is_an_error(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ellipse(*values)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_impossible_scale_is_an_error(scale: float) -> None:
    with pytest.raises(ValueError, match="y_scale must be a positive finite number"):
        Ellipse(0, 0, 20, 10, 0).scaled(1.0, scale)


@pytest.mark.parametrize("angle", [-1e-18, math.pi, -math.pi / 4, 7.0])
def test_angle_is_kept_in_half_a_turn(angle: float) -> None:
    ellipse = Ellipse(0, 0, 20, 10, angle)
    assert 0 <= ellipse.angle_rad < math.pi
    assert angle_between_lines(ellipse.angle_rad, angle) < 1e-12


def test_failed_fit_raises_when_used_and_survives_copy_and_pickle() -> None:
    fit = FailedEstimate("the mask is empty")
    assert not fit
    with pytest.raises(ValueError, match="no 'head_circumference_mm': the mask is empty"):
        _ = fit.head_circumference_mm
    assert copy.deepcopy(fit) == fit
    assert pickle.loads(pickle.dumps(fit)) == fit  # noqa: S301
    assert "the mask is empty" in repr(fit)
