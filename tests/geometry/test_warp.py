import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter, map_coordinates

from fetal_monai.geometry import PolarFrame, PolarGrid, Sector, warp, warp_to_frame, warp_to_polar

SHAPE = (300, 400)
SECTOR = Sector(195, -60, 80, 340, -0.5, 0.45)
GRID = PolarGrid(SECTOR, (224, 200), depth_trim=0.1)


def smooth_picture(seed: int = 0, sigma: float = 3) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), sigma)
    return (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.float32)


def places(grid: PolarGrid) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = np.meshgrid(np.arange(grid.size[1]), np.arange(grid.size[0]))
    x, y = np.moveaxis(grid.to_frame(np.stack([columns, rows], axis=-1)), -1, 0)
    return x, y


@pytest.mark.parametrize("aspect", [1.0, 1.4])
@pytest.mark.parametrize(("mode", "order"), [("bilinear", 1), ("nearest", 0)])
def test_itk_agrees_with_scipy(aspect: float, mode: str, order: int) -> None:
    grid = PolarGrid(Sector(195, -60, 80, 340, -0.5, 0.45, aspect), (224, 224))
    picture = smooth_picture()

    polar = warp_to_polar(picture, grid, mode)

    x, y = places(grid)
    reference = map_coordinates(picture.astype(np.float64), [y, x], order=order)
    inside = (x > 0) & (x < SHAPE[1] - 1) & (y > 0) & (y < SHAPE[0] - 1)
    assert inside.mean() > 0.5
    if mode == "nearest":
        # On the boundary between two pixels, rounding decides.
        assert (polar != reference)[inside].mean() < 1e-3
    else:
        assert_allclose(polar[inside], reference[inside], atol=1e-3)
    outside = (x < -0.51) | (x > SHAPE[1] - 0.49) | (y < -0.51) | (y > SHAPE[0] - 0.49)
    assert not polar[outside].any()


def test_whole_numbers_are_interpolated_as_floats() -> None:
    picture = np.round(smooth_picture())
    assert_array_equal(warp_to_polar(picture.astype(np.uint8), GRID), warp_to_polar(picture, GRID))
    assert (warp_to_polar(picture.astype(np.uint8), GRID) % 1 > 0).any()


def test_the_interior_comes_back_from_polar() -> None:
    grid = PolarGrid(SECTOR, (512, 512), depth_trim=0.0)
    picture = smooth_picture(sigma=6)

    back = warp_to_frame(warp_to_polar(picture, grid), grid, SHAPE)

    inside = SECTOR.contains(SHAPE)
    shrunk = Sector(195, -60, 84, 336, -0.48, 0.43).contains(SHAPE)
    shrunk[:3] = shrunk[-3:] = shrunk[:, :3] = shrunk[:, -3:] = False
    assert_allclose(back[shrunk], picture[shrunk], atol=1.5)
    grown = Sector(195, -60, 78, 342, -0.51, 0.46).contains(SHAPE)
    assert not back[~grown].any()
    assert inside.sum() > shrunk.sum() > 0.8 * inside.sum()


def test_a_radial_line_becomes_a_column_and_an_arc_becomes_a_row() -> None:
    columns, rows = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0]))
    radius, angle = np.moveaxis(SECTOR.polar(np.stack([columns, rows], axis=-1)), -1, 0)
    line = np.exp(-(((angle - 0.1) * radius / 2) ** 2))
    arc = np.exp(-(((radius - 200) / 2) ** 2))

    polar_line, polar_arc = warp_to_polar(line, GRID), warp_to_polar(arc, GRID)

    column = (0.1 + 0.5) / 0.95 * 200 - 0.5
    row = ((200 - 80) / 260 - 0.1) / 0.8 * 224 - 0.5
    x, y = places(GRID)
    seen = (x > 1) & (x < SHAPE[1] - 2) & (y > 1) & (y < SHAPE[0] - 2)
    rows_seen, columns_seen = seen.all(axis=1), seen[round(row)]
    assert rows_seen.sum() > 100
    assert columns_seen.sum() > 100
    assert_allclose(polar_line.argmax(axis=1)[rows_seen], column, atol=1)
    assert_allclose(polar_arc.argmax(axis=0)[columns_seen], row, atol=1)


def test_masks_stay_binary_and_lie_in_their_boxes() -> None:
    mask = np.zeros(SHAPE)
    mask[100:171, 150:261] = 1
    box = np.array([[150, 100, 261, 171]])

    polar = warp_to_polar(mask, GRID, "nearest")
    back = warp_to_frame(polar, GRID, SHAPE, "nearest")

    polar_box = GRID.boxes_to_polar(box)
    for image, (x_min, y_min, x_max, y_max) in (
        (polar, polar_box[0]),
        (back, GRID.boxes_to_frame(polar_box, SHAPE)[0]),
    ):
        assert set(np.unique(image)) == {0, 1}
        rows, columns = np.nonzero(image)
        assert x_min - 0.5 <= columns.min() <= columns.max() <= x_max - 0.5
        assert y_min - 0.5 <= rows.min() <= rows.max() <= y_max - 0.5
    # The mask is restored except for its outline.
    assert np.count_nonzero(back != mask) < 0.03 * mask.sum()


def test_leading_axes_are_kept() -> None:
    pictures = np.stack([smooth_picture(0), smooth_picture(1)])[:, None]
    polar = warp_to_polar(pictures, GRID)
    assert polar.shape == (2, 1, 224, 200)
    assert_array_equal(polar[1, 0], warp_to_polar(pictures[1, 0], GRID))


def test_a_polar_frame_of_the_same_size_stays_as_it_is() -> None:
    picture = smooth_picture()
    grid = PolarGrid(PolarFrame(SHAPE), SHAPE, depth_trim=0.0)
    assert_allclose(warp_to_polar(picture, grid), picture, atol=1e-4)


def test_a_field_is_built_once_for_a_geometry_and_size() -> None:
    picture = smooth_picture()
    warp._polar_field.cache_clear()
    for size in ((50, 40), (50, 40), (51, 40)):
        warp_to_polar(picture, PolarGrid(Sector(195, -60, 80, 340, -0.5, 0.45), size))
    cache = warp._polar_field.cache_info()
    assert (cache.hits, cache.misses) == (1, 2)
    assert cache.maxsize


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mode is 'cubic'; expected one of \('bilinear', 'nearest'\)"):
        warp_to_polar(smooth_picture(), GRID, "cubic")
    with pytest.raises(ValueError, match=r"is \(300, 400\) px, but its geometry is for \(10, 10\)"):
        warp_to_polar(smooth_picture(), PolarGrid(PolarFrame((10, 10)), (5, 5)))
    with pytest.raises(ValueError, match=r"is \(300, 400\) px; expected \(224, 200\)"):
        warp_to_frame(smooth_picture(), GRID, SHAPE)
    with pytest.raises(ValueError, match=r"got shape \(5,\)"):
        warp_to_polar(np.zeros(5), GRID)
