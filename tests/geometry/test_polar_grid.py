import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from fetal_monai.geometry import PolarFrame, PolarGrid, Sector, box_edges

SHAPE = (540, 800)
SECTOR = Sector(390, -120, 150, 700, -0.6, 0.5, 1.2)
GRID = PolarGrid(SECTOR, (100, 80), depth_trim=0.1)
sectors = st.builds(
    Sector,
    st.floats(200, 600),
    st.floats(-500, 100),
    st.floats(0, 200),
    st.floats(300, 900),
    st.floats(-1.2, -0.1),
    st.floats(0.1, 1.2),
    st.floats(0.5, 2),
)
grids = st.builds(PolarGrid, sectors, st.just((100, 80)), st.floats(0, 0.4))


@settings(max_examples=50, deadline=None)
@given(grid=grids, x=st.floats(-0.5, 79.5), y=st.floats(-0.5, 99.5))
def test_points_come_back(grid: PolarGrid, x: float, y: float) -> None:
    assert_allclose(grid.to_polar(grid.to_frame(np.array([x, y]))), [x, y], atol=1e-6)


def test_the_outline_of_the_image_is_the_outline_of_the_sector_without_the_trimmed_ends() -> None:
    radius, angle = SECTOR.polar(GRID.to_frame(np.array([[-0.5, -0.5], [79.5, 99.5]]))).T
    assert_allclose(radius, [150 + 55, 700 - 55])
    assert_allclose(angle, [-0.6, 0.5])


def test_a_row_is_a_depth_and_a_column_is_an_angle() -> None:
    row = SECTOR.polar(GRID.to_frame(np.stack([np.arange(80), np.full(80, 30)], axis=1)))
    column = SECTOR.polar(GRID.to_frame(np.stack([np.full(100, 30), np.arange(100)], axis=1)))
    assert np.ptp(row[:, 0]) < 1e-9
    assert_allclose(np.diff(row[:, 1]), 1.1 / 80)
    assert np.ptp(column[:, 1]) < 1e-9
    assert_allclose(np.diff(column[:, 0]), 0.8 * 550 / 100)


def test_a_polar_frame_is_only_trimmed_and_resized() -> None:
    grid = PolarGrid(PolarFrame((50, 60)), (40, 120), depth_trim=0.1)
    assert_allclose(grid.to_frame(np.array([[-0.5, -0.5], [119.5, 39.5]])), [[-0.5, 4.5], [59.5, 44.5]])
    assert_allclose(grid.boxes_to_polar(np.array([[10, 0, 20, 25]])), [[20, 0, 40, 20]])


@settings(max_examples=50, deadline=None)
@given(
    grid=grids,
    corner=st.tuples(st.floats(-50, 700), st.floats(-50, 500)),
    size=st.tuples(st.floats(1, 400), st.floats(1, 300)),
    seed=st.integers(0, 1000),
)
def test_a_box_on_the_polar_image_holds_whatever_the_box_on_the_frame_holds(
    grid: PolarGrid, corner: tuple[float, float], size: tuple[float, float], seed: int
) -> None:
    box = np.array([*corner, *np.add(corner, size)])
    inside = grid.to_polar(np.random.default_rng(seed).uniform(box[:2], box[2:], (500, 2)) - 0.5)
    shown = inside[((inside >= -0.5) & (inside <= [79.5, 99.5])).all(axis=1)]

    left, top, right, bottom = box_edges(grid.boxes_to_polar(box[None]))[0]

    if len(shown):
        assert shown[:, 0].min() >= left - 1e-6
        assert shown[:, 0].max() <= right + 1e-6
        assert shown[:, 1].min() >= top - 1e-6
        assert shown[:, 1].max() <= bottom + 1e-6


@settings(max_examples=50, deadline=None)
@given(
    grid=grids,
    corner=st.tuples(st.floats(0, 70), st.floats(0, 90)),
    size=st.tuples(st.floats(1, 60), st.floats(1, 60)),
    seed=st.integers(0, 1000),
)
def test_a_box_on_the_frame_holds_whatever_the_box_on_the_polar_image_holds(
    grid: PolarGrid, corner: tuple[float, float], size: tuple[float, float], seed: int
) -> None:
    box = np.array([*corner, *np.add(corner, size)])
    inside = grid.to_frame(np.random.default_rng(seed).uniform(box[:2], box[2:], (500, 2)) - 0.5)
    shown = inside[((inside >= -0.5) & (inside <= [799.5, 539.5])).all(axis=1)]

    found = box_edges(grid.boxes_to_frame(box[None], SHAPE))[0]

    if len(shown):
        assert (shown.min(axis=0) >= found[:2] - 1e-6).all()
        assert (shown.max(axis=0) <= found[2:] + 1e-6).all()


def test_boxes_are_no_larger_than_they_must_be() -> None:
    # Dense points of the boxes themselves are the reference.
    on_frame, on_polar = np.array([[250, 90, 500, 300]]), np.array([[10, 20, 60, 70]])
    for box, forwards in ((on_frame, True), (on_polar, False)):
        x, y = np.meshgrid(np.linspace(box[0, 0], box[0, 2], 501), np.linspace(box[0, 1], box[0, 3], 301))
        dense = np.stack([x, y], axis=-1).reshape(-1, 2)
        dense -= 0.5
        moved = GRID.to_polar(dense) if forwards else GRID.to_frame(dense)
        found = GRID.boxes_to_polar(box) if forwards else GRID.boxes_to_frame(box, (2000, 2000))
        low, high = moved.min(axis=0) + 0.5, moved.max(axis=0) + 0.5
        limit = [80, 100] if forwards else [2000, 2000]
        assert_allclose(found[0], [*np.maximum(low, 0), *np.minimum(high, limit)], atol=0.05)


def test_a_box_of_which_nothing_is_left_is_nan() -> None:
    above_the_apex, beside, seen = [300, -400, 500, -200], [0, 0, 10, 10], [300, 200, 400, 300]
    found = GRID.boxes_to_polar(np.array([above_the_apex, beside, seen]))
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2]).all()


def test_impossible_grids_and_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 0.5\), got 0.5"):
        PolarGrid(SECTOR, (10, 10), depth_trim=0.5)
    with pytest.raises(ValueError, match=r"got \(10, 0\)"):
        PolarGrid(SECTOR, (10, 0))
    with pytest.raises(ValueError, match=r"got shape \(4,\)"):
        GRID.boxes_to_polar(np.zeros(4))
