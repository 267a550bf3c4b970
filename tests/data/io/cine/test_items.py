from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from monai.data import DataLoader, IterableDataset, MetaTensor
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Resized, ScaleIntensityd
from numpy.testing import assert_array_equal
from torch.testing import assert_close

from fetal_monai.data import CineError, CineItems
from tests.data.io.cine.loops import FRAMES, noise_loop, write_video
from tests.frame_files import cut, write_dicom

LOOP = noise_loop()


def preprocessing() -> list[object]:
    return [
        EnsureChannelFirstd("image", channel_dim="no_channel"),
        Resized("image", (24, 32), mode="bilinear", anti_aliasing=True),
        ScaleIntensityd("image"),
    ]


def test_a_frame_of_a_loop_is_prepared_as_the_same_frame_in_a_file_of_its_own(tmp_path: Path) -> None:
    items = CineItems(write_dicom(tmp_path / "loop.dcm", LOOP, FrameTime=50))
    load = LoadImaged("image", reader="fetal_monai.data.FrameReader")
    for index, item in enumerate(IterableDataset(items, Compose(preprocessing()))):
        still = write_dicom(tmp_path / "still.dcm", LOOP[index])
        expected = Compose([load, *preprocessing()])({"image": str(still)})["image"]
        image = item["image"]
        assert isinstance(image, MetaTensor)
        assert_close(image.as_tensor(), expected.as_tensor())
        assert image.affine.tolist() == expected.affine.tolist()
        assert image.meta.keys() == expected.meta.keys()
        assert_array_equal(image.meta["spatial_shape"], expected.meta["spatial_shape"])
        assert_array_equal(image.meta["pixel_spacing_mm"], expected.meta["pixel_spacing_mm"])
        assert image.meta["filename_or_obj"] == str(tmp_path / "loop.dcm")
        assert (item["frame"], item["time_s"]) == (index, pytest.approx(0.05 * index))
    assert index == FRAMES - 1


def test_batches(tmp_path: Path) -> None:
    dataset = IterableDataset(CineItems(write_video(tmp_path / "loop.avi", LOOP)), Compose(preprocessing()))
    batches = list(DataLoader(dataset, batch_size=5))
    assert [tuple(batch["image"].shape) for batch in batches] == [(5, 1, 24, 32), (5, 1, 24, 32), (2, 1, 24, 32)]
    assert torch.cat([batch["frame"] for batch in batches]).tolist() == list(range(FRAMES))


def test_an_unknown_time_is_nan(tmp_path: Path) -> None:
    assert all(math.isnan(item["time_s"]) for item in CineItems(write_dicom(tmp_path / "loop.dcm", LOOP)))


def test_frames_before_the_damage_reach_the_consumer(tmp_path: Path) -> None:
    items = iter(CineItems(cut(write_dicom(tmp_path / "loop.dcm", LOOP)), key="frame_image"))
    assert_array_equal(next(items)["frame_image"], LOOP[0])
    with pytest.raises(CineError, match="cannot be decoded"):
        list(items)
