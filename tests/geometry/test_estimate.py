from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage.transform import resize

from fetal_monai.biometry import Ellipse
from fetal_monai.data import read_frame
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Sector, SectorEstimate, estimate_sector
from fetal_monai.phantom import simulate_frame

SHAPE = (300, 400)
SECTOR = Sector(190, -60, 80, 320, -0.55, 0.5)


def picture(sector: Sector = SECTOR, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Speckle in the sector, black around it."""
    speckle = np.random.default_rng(0).integers(10, 200, shape).astype(np.float32)
    return np.where(sector.contains(shape), speckle, np.float32(0))


def estimated(pixels: np.ndarray, **options: Any) -> SectorEstimate:
    estimate = estimate_sector(pixels, **options)
    assert isinstance(estimate, SectorEstimate), estimate.reason
    return estimate


def assert_close(found: Sector, true: Sector, px: float, rad: float) -> None:
    assert_allclose([found.apex_x, found.apex_y], [true.apex_x, true.apex_y], atol=px)
    angles = [found.start_angle_rad, found.end_angle_rad]
    assert_allclose(angles, [true.start_angle_rad, true.end_angle_rad], atol=rad)


def test_a_whole_sector_is_found_with_its_arcs() -> None:
    estimate = estimated(picture())
    assert_close(estimate.sector, SECTOR, px=1, rad=0.005)
    assert_allclose([estimate.sector.start_radius, estimate.sector.end_radius], [80, 320], atol=1)
    assert estimate.near_arc_seen
    assert estimate.far_arc_seen
    assert estimate.confidence > 0.95


def test_pixels_that_are_not_square() -> None:
    sector = Sector(190, -40, 80, 360, -0.5, 0.5, 1.3)
    estimate = estimated(picture(sector), pixel_aspect_ratio=1.3)
    assert_close(estimate.sector, sector, px=1, rad=0.005)
    assert_allclose([estimate.sector.start_radius, estimate.sector.end_radius], [80, 360], atol=1.5)


def test_text_bar_and_redaction_do_not_move_it_but_cost_confidence() -> None:
    pixels = picture()
    pixels[20:110, 3:11] = 240
    pixels[10:16, 330:390:4] = 200
    pixels[190:, 250:] = 0
    estimate = estimated(pixels)
    assert_close(estimate.sector, SECTOR, px=1.5, rad=0.01)
    assert 0.5 < estimate.confidence < estimated(picture()).confidence


def test_arcs_beyond_the_image_leave_the_depths_that_it_shows() -> None:
    sector = Sector(190, -60, 20, 900, -0.5, 0.5)
    estimate = estimated(picture(sector))
    assert not estimate.near_arc_seen
    assert not estimate.far_arc_seen
    # Straight down to the first row; and to the last row at the edge of the image.
    assert estimate.sector.start_radius == pytest.approx(60, abs=1)
    assert estimate.sector.end_radius == pytest.approx(sector.polar(np.array([0, 299]))[0], abs=7)


@pytest.mark.parametrize("exam", [0, 1, 3, 14])
def test_phantoms(exam: int) -> None:
    frame = simulate_frame(1, exam)
    estimate = estimated(frame.pixels)
    assert_close(estimate.sector, frame.sector, px=1, rad=0.002)
    if estimate.near_arc_seen:
        assert estimate.sector.start_radius == pytest.approx(frame.sector.start_radius, abs=2)


def test_half_the_size_is_half_the_sector() -> None:
    frame = simulate_frame(1, 14)
    small = resize(frame.pixels.astype(np.float32), (270, 400), order=0, anti_aliasing=False, preserve_range=True)
    assert_close(estimated(small).sector, frame.sector.scaled(0.5, 0.5), px=1.5, rad=0.004)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros(SHAPE), "no black surroundings"),
        (np.full(SHAPE, 7.0), "no black surroundings"),
        (np.random.default_rng(0).integers(100, 200, SHAPE), "the left edge of the sector is not visible"),
        (np.pad(np.full((200, 300), 90.0), 50), "the left edge of the sector is not visible"),
        (picture(Sector(50, -60, 80, 320, -0.55, 0.5))[:, 150:], "the left edge of the sector is not visible"),
        (picture(Sector(350, -60, 80, 320, -0.55, 0.5))[:, :250], "the right edge of the sector is not visible"),
        (90.0 * Ellipse(200, 150, 120, 90, 0.2).rasterise(SHAPE), "the confidence in the sector is 0"),
    ],
)
def test_what_shows_no_sector_is_refused_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    estimate = estimate_sector(pixels)
    assert not estimate
    assert isinstance(estimate, FailedEstimate)
    assert reason in estimate.reason


def test_an_estimate_below_the_confidence_asked_for_is_refused() -> None:
    pixels = picture()
    pixels[:, 230:] = np.where(np.arange(300)[:, None] < 90, pixels[:, 230:], 0)
    confidence = estimated(pixels, minimum_confidence=0).confidence
    assert 0 < confidence < 0.95
    assert estimate_sector(pixels, minimum_confidence=confidence - 0.01)
    refused = estimate_sector(pixels, minimum_confidence=confidence + 0.01)
    assert isinstance(refused, FailedEstimate)
    assert f"{confidence:.2f}, less than" in refused.reason


@pytest.mark.parametrize("options", [{"minimum_confidence": 1.5}, {"pixel_aspect_ratio": 0}])
def test_impossible_arguments_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must"):
        estimate_sector(picture(), **options)
    with pytest.raises(ValueError, match=r"\(H, W\), got shape \(2, 300, 400\)"):
        estimate_sector(np.zeros((2, *SHAPE)))


def test_a_real_frame(real_data: Path) -> None:
    estimate = estimated(read_frame(real_data / "hc18" / "training_set" / "670_HC.png").pixels)
    # A complete sector with both arcs, upright and symmetric, as scanners draw it.
    assert estimate.near_arc_seen
    assert estimate.far_arc_seen
    assert estimate.sector.start_angle_rad == pytest.approx(-estimate.sector.end_angle_rad, abs=0.01)
    assert estimate.confidence > 0.9


def test_a_real_frame_that_shows_one_edge_only_is_refused(real_data: Path) -> None:
    assert not estimate_sector(read_frame(real_data / "hc18" / "training_set" / "083_HC.png").pixels)
