from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.transforms import Compose, EnsureChannelFirstd, Invertd, LoadImaged
from numpy.testing import assert_allclose

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import PolarFrame, PolarGrid, Sector, geometry_record, warp_to_frame, warp_to_polar
from fetal_monai.transforms import FrameGeometryd, PolarToSectord, SectorToPolard
from tests.frame_files import write_metaimage

SHAPE = (120, 160)
SECTOR = Sector(75, -30, 40, 145, -0.45, 0.5)
GRID = PolarGrid(SECTOR, (64, 48), 0.1)
SIZE = GRID.size
BOX = [[50.0, 40.0, 101.0, 81.0]]  # of the mask in `item`


def pixels() -> np.ndarray:
    speckle = np.random.default_rng(0).integers(10, 200, SHAPE).astype(np.float32)
    return np.where(SECTOR.contains(SHAPE), speckle, 0)


def item() -> dict[Hashable, Any]:
    mask = torch.zeros(1, *SHAPE)
    mask[:, 40:81, 50:101] = 1
    return {
        "image": MetaTensor(pixels()[None]),
        "label": MetaTensor(mask),
        "box": torch.tensor(BOX),
        "geometry": geometry_record(SECTOR, SHAPE),
    }


def to_polar(**options: Any) -> SectorToPolard:
    return SectorToPolard(["image", "label"], size=SIZE, mode=["bilinear", "nearest"], box_keys="box", **options)


def test_images_masks_and_boxes_go_to_polar_as_the_grid_says() -> None:
    polar = to_polar()(item())
    assert_allclose(polar["image"][0].numpy(), warp_to_polar(pixels(), GRID))
    assert_allclose(polar["label"][0].numpy(), warp_to_polar(item()["label"][0].numpy(), GRID, "nearest"))
    assert_allclose(polar["box"].numpy(), GRID.boxes_to_polar(np.array(BOX)), rtol=1e-6)
    assert isinstance(polar["box"], torch.Tensor)
    assert polar["image"].shape == (1, *SIZE)


def test_the_way_back_by_either_transform_is_the_same() -> None:
    transform = to_polar()
    polar = transform(item())
    back = PolarToSectord(["image", "label"], size=SIZE, mode=["bilinear", "nearest"], box_keys="box")(polar)
    inverted = transform.inverse(polar)
    for key in ("image", "label", "box"):
        assert torch.equal(torch.as_tensor(back[key]), torch.as_tensor(inverted[key]))
    assert_allclose(back["image"][0].numpy(), warp_to_frame(polar["image"][0].numpy(), GRID, SHAPE))
    assert set(back["label"].unique().tolist()) == {0, 1}
    x_min, y_min, x_max, y_max = back["box"][0].tolist()
    assert x_min <= BOX[0][0]
    assert x_max >= BOX[0][2]
    assert y_max >= BOX[0][3]
    # Above the box lies what the depth trim left out.
    assert y_min <= BOX[0][1] or y_min <= SECTOR.apex_y + 40 + 0.1 * 105 + 1.5


def test_the_second_transform_inverts_too() -> None:
    polar: dict[Hashable, Any] = {"heat": MetaTensor(torch.rand(1, *SIZE)), "geometry": geometry_record(SECTOR, SHAPE)}
    transform = PolarToSectord("heat", size=SIZE)
    again = transform.inverse(transform(polar))
    assert again["heat"].shape == (1, *SIZE)
    assert not again["heat"].applied_operations


def test_what_is_no_metatensor_is_warped_and_stays_what_it_is() -> None:
    polar = SectorToPolard("image", size=SIZE)({**item(), "image": torch.as_tensor(pixels()[None])})
    assert type(polar["image"]) is torch.Tensor
    assert_allclose(polar["image"][0].numpy(), warp_to_polar(pixels(), GRID))


def test_from_the_file_through_a_batch_and_back_with_invertd(tmp_path: Path) -> None:
    files = [str(write_metaimage(tmp_path / f"{name}.mha", pixels())) for name in "ab"]
    preprocessing = Compose(
        [
            LoadImaged("image", reader="fetal_monai.data.FrameReader"),
            EnsureChannelFirstd("image"),
            FrameGeometryd("image"),
            SectorToPolard("image", size=SIZE),
        ]
    )
    (batch,) = DataLoader(Dataset([{"image": file} for file in files], preprocessing), batch_size=2)
    batch["pred"] = (batch["image"] > 60).float()
    restore = Invertd("pred", transform=preprocessing, orig_keys="image", nearest_interp=True)

    for restored in map(restore, decollate_batch(batch)):
        mask = restored["pred"]
        assert mask.shape[-2:] == SHAPE
        assert set(mask.unique().tolist()) == {0, 1}
        record = restored["geometry"]
        assert record["origin"] == "estimate"
        again = PolarToSectord("image", size=SIZE)({"image": restored["image"], "geometry": record})
        assert again["image"].shape == (1, *SHAPE)


def test_the_options_reach_the_record(tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "frame.mha", pixels(), spacing=(0.3, 0.2))
    load = Compose([LoadImaged("image", reader="fetal_monai.data.FrameReader"), EnsureChannelFirstd("image")])
    options = {"apex_x_mm": 15, "apex_y_mm": -9, "start_radius_mm": 8, "end_radius_mm": 29}
    angles = {"start_angle_rad": -0.4, "end_angle_rad": 0.4}
    loaded = load({"image": str(path)})
    expected = Sector.from_mm((15, -9), (8, 29), (-0.4, 0.4), (0.3, 0.2))

    found = FrameGeometryd("image", options={**options, **angles})(loaded)
    own = FrameGeometryd("image", options={**options, **angles})({**loaded, "pixel_spacing_mm": [0.5, 0.5]})

    assert found["geometry"] == pytest.approx(geometry_record(expected, SHAPE, "option"))
    assert own["geometry"]["apex_x"] == 30


def test_a_frame_without_known_sector_is_refused_or_resized_as_asked() -> None:
    unknown: dict[Hashable, Any] = {
        **item(),
        "geometry": geometry_record(FailedEstimate("no edge is seen"), SHAPE, "estimate", 0),
    }
    with pytest.raises(ValueError, match="The sector is not known: no edge is seen"):
        to_polar()(unknown)
    resize = to_polar(unknown="resize")
    resized = resize(unknown)
    whole = PolarGrid(PolarFrame(SHAPE), SIZE, depth_trim=0)
    assert_allclose(resized["image"][0].numpy(), warp_to_polar(pixels(), whole))
    assert resize.inverse(resized)["image"].shape == (1, *SHAPE)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown is 'skip'; expected one of"):
        to_polar(unknown="skip")
    with pytest.raises(ValueError, match=r"is \(120, 160\) px, but its geometry is for \(10, 10\)"):
        to_polar()({**item(), "geometry": geometry_record(SECTOR, (10, 10))})
    with pytest.raises(ValueError, match="expected one: the image"):
        FrameGeometryd(["image", "label"])
