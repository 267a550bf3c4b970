from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from fetal_monai.biometry import Ellipse, HeadMeasurement, MeasurementQuality, measure_head
from fetal_monai.data import read_frame
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.reporting.annotated_picture import WARNING_COLOUR
from fetal_monai.reporting.head_overlay import ELLIPSE_COLOUR, MASK_COLOUR, draw_overlay
from fetal_monai.transforms import MeasureHeadd, SaveHeadOverlayd
from tests.frame_files import write_picture

HEIGHT, WIDTH = 540, 800
GRAY = np.full((HEIGHT, WIDTH), 60, np.float32)
ELLIPSE = Ellipse(400.0, 260.0, 150.0, 110.0, 0.5)
MASK = ELLIPSE.rasterise((HEIGHT, WIDTH))


def looks_like(picture: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(np.asarray(picture, dtype=int) - colour).max(axis=-1) < 40


def test_the_ellipse_is_drawn_where_it_was_measured() -> None:
    picture = draw_overlay(GRAY, MASK, measure_head(MASK, (0.2, 0.2)), "frame.png")
    assert picture.size[0] == WIDTH
    drawn = looks_like(picture, ELLIPSE_COLOUR)[:HEIGHT]
    for x, y in ELLIPSE.points(36):
        window = drawn[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3]
        assert window.any(), f"no ellipse at {x:.0f}, {y:.0f}"
    inside = Ellipse(400.0, 260.0, 153.0, 113.0, 0.5).rasterise((HEIGHT, WIDTH))
    assert not (drawn & ~inside).any(), "nothing is drawn outside"


def test_lines_are_not_shifted_against_the_frame() -> None:
    """By half a pixel, say: the outline's centre of mass is the ellipse's centre."""
    picture = draw_overlay(np.zeros_like(GRAY), MASK, FailedEstimate("only the mask is drawn"), "frame.png")
    drawn = np.asarray(picture, dtype=float)[:HEIGHT].sum(axis=-1)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    centre = [(drawn * columns).sum() / drawn.sum(), (drawn * rows).sum() / drawn.sum()]
    assert_allclose(centre, [ELLIPSE.center_x, ELLIPSE.center_y], atol=0.15)


def test_the_masks_outline_is_drawn_where_it_departs_from_the_ellipse() -> None:
    mask = MASK.copy()
    mask[20:40, 20:60] = True
    picture = draw_overlay(GRAY, mask, measure_head(mask, (0.2, 0.2)), "frame.png")
    drawn = looks_like(picture, MASK_COLOUR)[:HEIGHT]
    assert drawn[15:45, 15:65].any()


def test_pixels_that_are_not_square_are_shown_true_to_scale() -> None:
    picture = draw_overlay(GRAY, MASK, measure_head(MASK, (0.4, 0.2)), "frame.png")
    assert picture.size[0] == WIDTH
    assert picture.size[1] > 2 * HEIGHT, "the rows are twice as far apart, and a caption follows"


@pytest.mark.parametrize("shape", [(64, 96), (2000, 3000), (387, 344)])
def test_any_size_gives_a_readable_picture(shape: tuple[int, int]) -> None:
    height, width = shape
    mask = Ellipse(width / 2, height / 2, 0.4 * min(shape), 0.3 * min(shape), 0.2).rasterise(shape)
    picture = draw_overlay(np.zeros(shape, np.float32), mask, measure_head(mask, (0.1, 0.1)), "x" * 200 + ".png")
    assert 800 <= max(picture.size) <= 1800
    assert looks_like(picture, ELLIPSE_COLOUR).any()


def test_failed_fit_shows_a_warning_and_no_ellipse() -> None:
    nothing = np.zeros_like(MASK)
    picture = draw_overlay(GRAY, nothing, FailedEstimate("no head found: the mask is empty"), "frame.png")
    assert not looks_like(picture, ELLIPSE_COLOUR).any()
    assert looks_like(picture, WARNING_COLOUR).any()
    assert_array_equal(np.asarray(picture)[:HEIGHT], np.full((HEIGHT, WIDTH, 3), 60))


def test_unknown_spacing_shows_a_warning_and_the_ellipse() -> None:
    picture = draw_overlay(GRAY, MASK, measure_head(MASK), "frame.png")
    assert looks_like(picture, ELLIPSE_COLOUR).any()
    assert looks_like(picture, WARNING_COLOUR)[HEIGHT:].any()


def test_a_reason_for_the_unknown_spacing_is_written_in_lines_of_full_size() -> None:
    head = measure_head(MASK)
    assert isinstance(head, HeadMeasurement)
    explained = HeadMeasurement(head.ellipse_px, unscaled_reason="the header states 2 calibrated regions, " * 6)
    sizes = [draw_overlay(GRAY, MASK, each, "frame.png").size for each in (head, explained)]
    assert sizes[0][0] == sizes[1][0]
    assert (sizes[1][1] - sizes[0][1]) == 3 * round(1.5 * max(14, round(sizes[0][0] / 45)))


@pytest.mark.parametrize("spacing", [(0.2, 0.2), None])
def test_what_should_be_checked_is_written_in_the_colour_of_a_warning(spacing: tuple[float, float] | None) -> None:
    head = measure_head(MASK, spacing)
    assert isinstance(head, HeadMeasurement)
    doubted = replace(head, quality=MeasurementQuality(0.99, 0.62, 0.99))
    plain, marked = (draw_overlay(GRAY, MASK, each, "frame.png") for each in (head, doubted))
    assert marked.size[1] - plain.size[1] == round(1.5 * max(14, round(plain.size[0] / 45)))  # one line more
    warnings = [looks_like(picture, WARNING_COLOUR)[HEIGHT:].sum() for picture in (plain, marked)]
    assert warnings[1] > warnings[0]


def test_the_source_of_the_scale_is_written_below_the_picture() -> None:
    unnamed, header, option = (
        np.asarray(draw_overlay(GRAY, MASK, measure_head(MASK, (0.1, 0.1)), "f.png", source))
        for source in ("", "header", "option")
    )
    for other in (header, option):
        assert_array_equal(other[:HEIGHT], unnamed[:HEIGHT])
        assert (other[HEIGHT:] != unnamed[HEIGHT:]).any()
    assert (header != option).any()


def test_deep_pixels_are_windowed() -> None:
    deep = np.linspace(0, 40000, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    picture = np.asarray(draw_overlay(deep, np.zeros_like(MASK), FailedEstimate("none"), "f.png"))
    assert picture[0, 0, 0] == 0
    assert picture[HEIGHT - 1, WIDTH - 1, 0] == 255
    assert_allclose(picture[HEIGHT // 2, WIDTH // 2], 128, atol=2)


@pytest.mark.parametrize("spacing", [[0.2, 0.2], [math.nan, math.nan]])
def test_writes_a_png_in_the_source_structure(tmp_path: Path, spacing: list[float]) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    frame = write_picture(tmp_path / "in" / "a" / "f.png", (MASK * 100 + 20).astype(np.uint8))
    item = Compose(
        [LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image"), MeasureHeadd("pred")]
    )({"image": str(frame), "pred": torch.from_numpy(MASK)[None].float(), "pixel_spacing_mm": spacing})
    SaveHeadOverlayd("pred", output_dir=tmp_path / "out", source_dir=tmp_path / "in")(item)
    assert [path.name for path in (tmp_path / "out" / "a").iterdir()] == ["f_overlay.png"]
    with Image.open(tmp_path / "out" / "a" / "f_overlay.png") as picture:
        assert picture.mode == "RGB"
        assert looks_like(picture, ELLIPSE_COLOUR).any()


def test_a_real_frame(real_data: Path) -> None:
    frame = read_frame(real_data / "hc18" / "training_set" / "010_HC.png").pixels
    picture = draw_overlay(frame, np.zeros(frame.shape, bool), FailedEstimate("none"), "010_HC.png")
    assert_array_equal(np.asarray(picture)[:540, :, 0], frame)
