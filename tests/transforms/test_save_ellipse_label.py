from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged

from fetal_monai.biometry import Ellipse
from fetal_monai.data.preparation.ellipse_label import read_ellipse_label
from fetal_monai.transforms import MeasureHeadd
from fetal_monai.transforms.save_ellipse_label import SaveEllipseLabeld
from tests.frame_files import asymmetric_picture, write_picture

PICTURE = asymmetric_picture()
HEAD = Ellipse(PICTURE.shape[1] / 2, PICTURE.shape[0] / 2, PICTURE.shape[0] / 3, PICTURE.shape[0] / 4, 0.4)


@pytest.mark.parametrize("spacing", [[0.2, 0.3], [math.nan, math.nan]])
def test_the_measured_ellipse_is_read_back_from_the_source_structure(tmp_path: Path, spacing: list[float]) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    frame = write_picture(tmp_path / "in" / "a" / "f.png", PICTURE)
    load = Compose(
        [LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image"), MeasureHeadd("pred")]
    )
    mask = torch.from_numpy(HEAD.rasterise(PICTURE.shape))[None].float()
    save = SaveEllipseLabeld("pred", output_dir=tmp_path / "out", source_dir=tmp_path / "in")
    item = load({"image": str(frame), "pred": mask, "pixel_spacing_mm": spacing})
    save(item)
    label = read_ellipse_label(tmp_path / "out" / "a" / "f_png_ellipse.xml")
    assert label.ellipse == item["pred_head"].ellipse_px
    assert (label.image_name, label.shape) == ("f.png", PICTURE.shape)
    assert label.pixel_spacing_mm == (None if math.isnan(spacing[0]) else tuple(spacing))


def test_without_a_head_nothing_is_written(tmp_path: Path) -> None:
    frame = write_picture(tmp_path / "f.png", PICTURE)
    load = Compose(
        [LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image"), MeasureHeadd("pred")]
    )
    item = {"image": str(frame), "pred": torch.zeros(1, *PICTURE.shape), "pixel_spacing_mm": [0.2, 0.2]}
    SaveEllipseLabeld("pred", output_dir=tmp_path / "out")(load(item))
    assert not (tmp_path / "out").exists()
