from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
from numpy.testing import assert_array_equal

from fetal_monai.data import read_frame
from fetal_monai.transforms import SaveFrameMaskd
from tests.frame_files import LOSSLESS_FORMATS, asymmetric_picture, write_picture

PICTURE = asymmetric_picture()
MASK = torch.from_numpy(PICTURE > 120)


def load(path: Path) -> dict:
    reader = "fetal_monai.data.FrameReader"
    return Compose([LoadImaged("image", reader=reader), EnsureChannelFirstd("image")])({"image": str(path)})


@pytest.mark.parametrize("name", LOSSLESS_FORMATS)
def test_writes_the_mask_beside_the_source_structure(tmp_path: Path, name: str) -> None:
    write, _ = LOSSLESS_FORMATS[name]
    (tmp_path / "in" / "exam 1").mkdir(parents=True)
    frame = write(tmp_path / "in" / "exam 1" / name, PICTURE)
    item = load(frame) | {"pred": torch.stack([~MASK, MASK]).float()}
    SaveFrameMaskd("pred", output_dir=tmp_path / "out", source_dir=tmp_path / "in")(item)
    (written,) = (path for path in (tmp_path / "out" / "exam 1").iterdir() if path.suffix != ".raw")
    assert "_mask" in written.name
    assert_array_equal(read_frame(written).pixels, MASK * 255)
    assert read_frame(written).pixel_spacing_mm == read_frame(frame).pixel_spacing_mm


def test_label_map(tmp_path: Path) -> None:
    item = load(write_picture(tmp_path / "frame.png", PICTURE)) | {"pred": MASK[None].to(torch.uint8)}
    assert SaveFrameMaskd("pred", output_dir=tmp_path / "out")(item).keys() == item.keys()
    assert_array_equal(read_frame(tmp_path / "out" / "frame_mask.png").pixels, np.asarray(MASK) * 255)


def test_one_frame_as_the_source(tmp_path: Path) -> None:
    frame = write_picture(tmp_path / "frame.png", PICTURE)
    SaveFrameMaskd("pred", output_dir=tmp_path / "out", source_dir=frame)(load(frame) | {"pred": MASK[None]})
    assert (tmp_path / "out" / "frame_mask.png").is_file()


def test_the_home_folder_in_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "exam").mkdir()
    frame = write_picture(tmp_path / "exam" / "frame.png", PICTURE)
    SaveFrameMaskd("pred", output_dir=tmp_path / "out", source_dir="~")(load(frame) | {"pred": MASK[None]})
    assert (tmp_path / "out" / "exam" / "frame_mask.png").is_file()


def test_a_mask_in_the_networks_size_is_an_error(tmp_path: Path) -> None:
    item = load(write_picture(tmp_path / "frame.png", PICTURE)) | {"pred": torch.zeros(2, 256, 384)}
    with pytest.raises(ValueError, match="resize the mask first"):
        SaveFrameMaskd("pred", output_dir=tmp_path / "out")(item)
