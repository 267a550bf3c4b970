from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fetal_monai.data.io.metaimage import read_metaimage_header
from fetal_monai.data.io.reading import read_frame
from fetal_monai.geometry import PolarFrame, Sector, is_polar_metaimage

SHAPE = (90, 81)
HEADER = {"Offset": "-40 20 0", "ElementSpacing": "1 2 1"}
FILLED = np.random.default_rng(0).integers(1, 255, SHAPE)


def test_points_of_a_polar_frame_come_back() -> None:
    frame = PolarFrame(SHAPE)
    points = np.array([[-0.5, -0.5], [80.5, 89.5], [20, 30]])
    assert_allclose(frame.to_fractions(points)[:2], [[0, 0], [1, 1]])
    assert_allclose(frame.from_fractions(frame.to_fractions(points)), points)


def test_degrees_around_straight_down_and_depths_from_a_probe_are_polar() -> None:
    assert is_polar_metaimage(HEADER, FILLED)


@pytest.mark.parametrize(
    "change",
    [{"Offset": "0 20 0"}, {"Offset": "-40 0 0"}, {"ElementSpacing": "2 2 1", "Offset": "-80 20 0"}, {"Offset": ""}],
)
def test_another_header_is_not(change: dict[str, str]) -> None:
    assert not is_polar_metaimage({**HEADER, **change}, FILLED)


def test_a_picture_of_a_sector_is_not_polar_whatever_its_header() -> None:
    inside = Sector(40, -10, 15, 90, -0.5, 0.5).contains(SHAPE)
    assert not is_polar_metaimage(HEADER, np.where(inside, FILLED, 0))


def test_the_sample_of_the_reference_code_is_polar(real_data: Path) -> None:
    path = real_data / "frustum" / "image.mhd"
    assert is_polar_metaimage(read_metaimage_header(path), read_frame(path).pixels)
