import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from fetal_monai.biometry import Ellipse, fit_ellipse
from fetal_monai.geometry import Sector
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.head import HeadCoordinates, Skull

SPACING_MM = 0.13
ELLIPSE = Ellipse(400, 260, 230, 180, 0.2)


@pytest.fixture(scope="module")
def grid() -> BeamGrid:
    sector = Sector(apex_x=420, apex_y=-400, start_radius=380, end_radius=950, start_angle_rad=-0.5, end_angle_rad=0.5)
    return BeamGrid.of(sector, (540, 800), depths=300, beams=200)


@pytest.fixture(scope="module")
def at(grid: BeamGrid) -> HeadCoordinates:
    return HeadCoordinates.of(ELLIPSE, grid, SPACING_MM)


def test_distance_is_the_distance_from_the_ellipse(grid: BeamGrid, at: HeadCoordinates) -> None:
    tree = cKDTree(ELLIPSE.points(20_000))
    exact_mm = tree.query(np.stack([grid.x.ravel(), grid.y.ravel()], axis=1))[0].reshape(grid.x.shape) * SPACING_MM

    near = exact_mm < 2  # the skull's thickness
    np.testing.assert_allclose(np.abs(at.distance_mm)[near], exact_mm[near], atol=0.1)
    inside = np.hypot(at.along, at.across) < 1
    np.testing.assert_array_equal(at.distance_mm < 0, inside)


def test_the_beam_meets_the_ellipse_at_the_angle_of_its_normal(grid: BeamGrid, at: HeadCoordinates) -> None:
    # The gradient of the distance along the beam is the cosine between beam and normal.
    along_beam = np.gradient(at.distance_mm, axis=0) / (grid.depth_step * SPACING_MM)

    near = np.abs(at.distance_mm) < 0.5
    np.testing.assert_allclose(at.beam_cosine[near], along_beam[near], atol=0.03)


@pytest.mark.parametrize("angle_rad", [0.0, 0.4, 1.2, 2.0, 3.1])
def test_across_is_positive_on_the_side_away_from_the_probe(grid: BeamGrid, angle_rad: float) -> None:
    at = HeadCoordinates.of(Ellipse(400, 260, 230, 180, angle_rad), grid, SPACING_MM)

    from_apex = np.broadcast_to(grid.radii[:, None], at.across.shape)
    inside = at.distance_mm < 0
    assert from_apex[inside & (at.across > 0)].mean() > from_apex[inside & (at.across < 0)].mean()


@pytest.mark.parametrize("seed", range(5))
def test_the_ellipse_is_the_one_that_fits_the_uneven_bone_best(seed: int) -> None:
    skull = Skull.random(np.random.default_rng(seed), head_circumference_mm=170)
    t = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    a, b = ELLIPSE.semi_axis_a, ELLIPSE.semi_axis_b
    normal = np.stack([np.cos(t) / a, np.sin(t) / b], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    uneven_px = skull.unevenness_mm(t.astype(np.float32))[:, None] / SPACING_MM
    bone = np.stack([a * np.cos(t), b * np.sin(t)], axis=1) + normal * uneven_px

    fitted = fit_ellipse(bone)

    assert isinstance(fitted, Ellipse)
    assert np.abs(uneven_px).max() > 0.2
    assert fitted.perimeter == pytest.approx(ELLIPSE.perimeter, rel=2e-3)
    assert math.hypot(fitted.center_x, fitted.center_y) < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_the_bone_lies_just_inside_the_ellipse(at: HeadCoordinates, seed: int) -> None:
    skull = Skull.random(np.random.default_rng(seed), head_circumference_mm=170)

    bone = skull.bone(at, skull.depth_mm(at))

    centre_mm = (bone * at.distance_mm).sum() / bone.sum()
    assert -0.8 * skull.thickness_mm < centre_mm < -0.2 * skull.thickness_mm
    assert bone[at.distance_mm > skull.thickness_mm].max() < 0.05
    assert bone[at.distance_mm < -3 * skull.thickness_mm].max() < 0.05


def test_the_echo_fades_where_the_beam_grazes_the_bone(at: HeadCoordinates) -> None:
    skull = Skull.random(np.random.default_rng(0), head_circumference_mm=170)
    depth_mm = skull.depth_mm(at)

    echo = skull.reflection(at, depth_mm, skull.bone(at, depth_mm))

    on_bone = (at.distance_mm < 0) & (at.distance_mm > -skull.thickness_mm)
    facing = np.abs(at.beam_cosine)
    assert echo[on_bone & (facing > 0.95)].mean() > 5 * echo[on_bone & (facing < 0.3)].mean()
