import numpy as np
import pytest

from fetal_monai.phantom.display import Display, Furniture


@pytest.fixture
def display() -> Display:
    return Display(gain_db=5, dynamic_range_db=60, gray_curve=1.5, smoothing=0)


def test_compression_keeps_the_order_and_uses_the_whole_range(display: Display) -> None:
    level_db = np.linspace(-80, 10, 200, dtype=np.float32)[None, :]
    envelope = np.power(10, level_db / 20, dtype=np.float32)

    gray = display.gray(envelope, np.zeros_like(level_db))

    assert (np.diff(gray) >= 0).all()
    assert gray[level_db < -65].max() == 0
    assert gray[level_db >= -4.9].min() == pytest.approx(255, abs=1)


def test_gain_in_decibels_multiplies_the_echo(display: Display) -> None:
    envelope = np.array([[0.01, 0.05, 0.2]], dtype=np.float32)

    louder = display.gray(envelope, np.full_like(envelope, 6.0206))

    np.testing.assert_allclose(louder, display.gray(2 * envelope, np.zeros_like(envelope)), rtol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_furniture_is_a_falling_gray_bar_and_black_boxes(seed: int) -> None:
    furniture = Furniture.random(np.random.default_rng(seed))
    screen = np.full((540, 800), 100, dtype=np.uint8)

    furniture.draw(screen)

    first, last, left, right = furniture.gray_bar
    bar = screen[first : last + 1, left : right + 1].astype(int)
    assert (bar[0] == 243).all() and (bar[-1] == 0).all()
    assert (np.diff(bar, axis=0) <= 0).all()
    for first_row, end_row, first_column, end_column in furniture.redactions:
        assert end_row <= 540 and end_column <= 800
        box = screen[first_row:end_row, first_column:end_column]
        assert box.size > 0
        assert np.isin(box, [0, *bar.ravel()]).all()
    assert (screen == 100).mean() > 0.75
