import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_monai.geometry import Sector
from fetal_monai.phantom.beam_grid import BeamGrid

SHAPE = (120, 160)


@pytest.fixture
def sector() -> Sector:
    return Sector(80, -30, 40, 140, start_angle_rad=-0.45, end_angle_rad=0.55)


def test_scan_conversion_shows_an_arc_at_constant_depth_and_a_beam_at_constant_angle(sector: Sector) -> None:
    grid = BeamGrid.of(sector, SHAPE, depths=100, beams=80)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    inside = sector.contains(SHAPE)

    depth = grid.scan_convert(np.repeat(grid.radii[:, None], 80, axis=1))
    angle = grid.scan_convert(np.repeat(grid.angles[None, :], 100, axis=0))

    np.testing.assert_allclose(depth[inside], np.hypot(columns - 80, rows + 30)[inside], atol=1e-3)
    np.testing.assert_allclose(angle[inside], np.arctan2(columns - 80, rows + 30)[inside], atol=1e-5)


def test_the_screen_is_black_outside_the_sector(sector: Sector) -> None:
    grid = BeamGrid.of(sector, SHAPE, depths=50, beams=40)

    screen = grid.scan_convert(np.ones((50, 40), dtype=np.float32))

    np.testing.assert_array_equal(screen > 0, sector.contains(SHAPE))


@settings(max_examples=25, deadline=None)
@given(
    apex_x=st.floats(20, 140),
    apex_y=st.floats(-300, -5),
    half_angle=st.floats(0.1, 0.7),
)
def test_scan_conversion_brings_the_samples_to_their_own_places(
    apex_x: float, apex_y: float, half_angle: float
) -> None:
    sector = Sector(apex_x, apex_y, -apex_y, -apex_y + 110, -half_angle, half_angle)
    grid = BeamGrid.of(sector, SHAPE, depths=130, beams=120)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]

    # A linear function of the position; bilinear interpolation over angle and depth changes it slightly.
    screen = grid.scan_convert(grid.x + 2 * grid.y)

    np.testing.assert_allclose(screen[grid.visible], (columns + 2 * rows)[grid.visible], atol=0.1)


def test_a_sector_that_the_screen_does_not_show_is_refused() -> None:
    with pytest.raises(ValueError, match="does not reach a screen"):
        BeamGrid.of(Sector(-500, -500, 10, 40, -0.5, 0.5), SHAPE, 10, 10)
