from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from fetal_monai.geometry import Sector, geometry_from_record
from fetal_monai.transforms import FrameGeometryd, geometry_origins
from tests.transforms.test_polar import SECTOR, pixels

STATED = asdict(Sector(70, -20, 30, 130, -0.4, 0.4))


def item(path: str = "frame.png", shown: np.ndarray | None = None, **values: Any) -> dict[Any, Any]:
    image = MetaTensor((pixels() if shown is None else shown)[None], meta={"filename_or_obj": path})
    return {"image": image, **values}


def test_what_the_data_list_states_of_a_frame_wins_over_the_picture_and_leaves_the_item() -> None:
    found = FrameGeometryd("image")(item(sector=STATED))
    assert asdict(geometry_from_record(found["geometry"])) == STATED
    assert found["geometry"]["origin"] == "data list"
    assert found.keys() == {"image", "geometry"}


def test_options_win_over_the_data_list() -> None:
    found = FrameGeometryd("image", options={"geometry": "polar"})(item(sector=STATED))
    assert (found["geometry"]["kind"], found["geometry"]["origin"]) == ("polar", "option")


def test_a_bad_sector_of_the_data_list_names_the_file() -> None:
    with pytest.raises(ValueError, match=r"frame\.png: the data list: a sector lacks|frame\.png: the data list"):
        FrameGeometryd("image")(item(sector={"apex_x": 3}))


def test_of_a_loop_the_sector_is_found_once() -> None:
    find = FrameGeometryd("image", once_a_file=True)
    black = np.zeros_like(pixels())
    kinds = [
        find(item("loop.mp4", shown))["geometry"]["kind"]
        for shown in (black, pixels(), black)  # the second frame is the first that shows it
    ]
    assert kinds == ["unknown", "sector", "sector"]
    assert find(item("other.mp4", black))["geometry"]["kind"] == "unknown"
    sector = geometry_from_record(find(item("loop.mp4"))["geometry"])
    assert isinstance(sector, Sector)
    assert sector.apex_x == pytest.approx(SECTOR.apex_x, abs=2)
    # Without it, every frame is looked at.
    assert FrameGeometryd("image")(item("loop.mp4", black))["geometry"]["kind"] == "unknown"


def test_origins_are_counted_and_unknown_sectors_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    find = FrameGeometryd("image")
    items = [find(item(sector=STATED)), find(item()), find(item()), find(item(shown=np.zeros_like(pixels())))]
    with caplog.at_level(logging.WARNING):
        assert geometry_origins(items) == {"data list": 1, "estimate": 2, "unknown": 1}
    assert "The sector of 1 of 4 frames is not known" in caplog.text
    caplog.clear()
    assert geometry_origins(items[:1]) == {"data list": 1}
    assert not caplog.text
    assert isinstance(items[0]["image"], torch.Tensor)


def test_a_table_gives_way_to_the_data_list(tmp_path: Path) -> None:
    table = tmp_path / "sectors.csv"
    table.write_text("filename,geometry\nframe.png,polar\n")
    find = FrameGeometryd("image", table=table)
    assert find(item())["geometry"]["origin"] == "table"
    assert find(item(sector=STATED))["geometry"]["origin"] == "data list"
