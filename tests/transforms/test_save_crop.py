from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from fetal_monai.biometry import Ellipse, HeadMeasurement, measure_head
from fetal_monai.transforms import MeasureHeadd, SaveHeadCropd
from fetal_monai.transforms.save_crop import crop_head
from tests.frame_files import write_picture

SHAPE = (540, 800)
ELLIPSE = Ellipse(400.0, 260.0, 150.0, 110.0, 0.5)
# No two pixels next to each other are alike, and none is black.
FRAME = (np.add.outer(3 * np.arange(SHAPE[0]), np.arange(SHAPE[1])) % 251 + 5).astype(np.uint8)


def test_without_margin_it_is_the_bounding_box_of_the_filled_ellipse() -> None:
    rows, columns = np.nonzero(ELLIPSE.rasterise(SHAPE))
    box = FRAME[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert_array_equal(crop_head(FRAME, HeadMeasurement(ELLIPSE), margin=0), box)


def test_the_margin_is_a_part_of_the_rectangle_on_each_side() -> None:
    level = HeadMeasurement(Ellipse(400.0, 260.0, 150.0, 100.0, 0.0))
    assert_array_equal(crop_head(FRAME, level, margin=0.1), FRAME[260 - 120 : 260 + 121, 400 - 180 : 400 + 181])


def test_it_ends_where_the_frame_ends() -> None:
    at_the_border = HeadMeasurement(Ellipse(20.0, 500.0, 150.0, 100.0, 0.0))
    assert_array_equal(crop_head(FRAME, at_the_border, margin=0), FRAME[400:, :171])


@pytest.mark.parametrize("angle_rad", [0.5, 1.2, 2.0, 2.9])
def test_upright_the_heads_own_ellipse_lies_level_in_the_middle(angle_rad: float) -> None:
    ellipse = Ellipse(400.0, 260.0, 150.0, 110.0, angle_rad)
    mask = ellipse.rasterise(SHAPE).astype(np.uint8) * 255
    crop = crop_head(mask, HeadMeasurement(ellipse), margin=0.1, upright=True)
    assert crop.shape == (264, 360)
    turned = measure_head(crop > 127)
    assert isinstance(turned, HeadMeasurement)
    assert_allclose([turned.ellipse_px.center_x, turned.ellipse_px.center_y], [179.5, 131.5], atol=0.1)
    assert_allclose([turned.ellipse_px.semi_axis_a, turned.ellipse_px.semi_axis_b], [150, 110], atol=0.2)
    assert_allclose(math.sin(turned.ellipse_px.angle_rad), 0, atol=5e-3)


@pytest.mark.parametrize("angle_rad", [0.5, 1.5, 1.7, 2.9])
def test_upright_keeps_above_what_is_above(angle_rad: float) -> None:
    above = np.where(np.arange(SHAPE[0])[:, None] < 260, np.uint8(255), np.uint8(0)) * np.ones(SHAPE, np.uint8)
    crop = crop_head(above, HeadMeasurement(Ellipse(400.0, 260.0, 150.0, 110.0, angle_rad)), upright=True)
    half = crop.shape[0] // 2
    assert crop[:half].mean() > crop[half:].mean()


def test_upright_and_level_already_it_is_the_frame_itself() -> None:
    level = HeadMeasurement(Ellipse(400.5, 260.5, 150.0, 100.0, 0.0))
    assert_array_equal(crop_head(FRAME, level, margin=0, upright=True), FRAME[161:361, 251:551])


def test_upright_outside_the_frame_is_black_and_pixels_become_square() -> None:
    ellipse = Ellipse(10.0, 260.0, 100.0, 50.0, 0.0)
    crop = crop_head(FRAME, HeadMeasurement(ellipse, (0.4, 0.2)), margin=0, upright=True)
    # Rows are twice as far apart, so the ellipse is a circle of 200 px in square pixels.
    assert crop.shape == (200, 200)
    assert not crop[:, :88].any()
    assert crop[:, 92:].all()


def test_writes_a_png_in_the_source_structure_and_nothing_without_a_head(tmp_path: Path) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    mask = ELLIPSE.rasterise(SHAPE)
    frame = write_picture(tmp_path / "in" / "a" / "f.png", FRAME)
    load = Compose(
        [LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image"), MeasureHeadd("pred")]
    )
    save = SaveHeadCropd("pred", output_dir=tmp_path / "out", source_dir=tmp_path / "in", margin=0.2)
    spacing = [math.nan, math.nan]
    save(load({"image": str(frame), "pred": torch.zeros(1, *SHAPE), "pixel_spacing_mm": spacing}))
    assert not (tmp_path / "out").exists()
    item = load({"image": str(frame), "pred": torch.from_numpy(mask)[None].float(), "pixel_spacing_mm": spacing})
    save(item)
    assert [path.name for path in (tmp_path / "out" / "a").iterdir()] == ["f_crop.png"]
    with Image.open(tmp_path / "out" / "a" / "f_crop.png") as picture:
        assert_array_equal(np.asarray(picture), crop_head(FRAME, item["pred_head"], margin=0.2))


@pytest.mark.parametrize("margin", [-0.1, math.nan, "0.1"])
def test_a_margin_that_is_none_is_refused(tmp_path: Path, margin: float) -> None:
    with pytest.raises(ValueError, match="crop_margin must be a finite number of at least 0, got"):
        SaveHeadCropd("pred", output_dir=tmp_path, margin=margin)


def test_text_is_no_truth(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="crop_upright must be True or False, got 'true'"):
        SaveHeadCropd("pred", output_dir=tmp_path, upright="true")  # type: ignore[arg-type]
