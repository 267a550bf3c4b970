from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from monai.data import DataLoader, IterableDataset

from fetal_monai.data import FrameStream
from tests.data.io.cine.loops import FRAMES, RATE_HZ, noise_loop, smooth_loop, write_video
from tests.frame_files import asymmetric_picture, cut, write_dicom, write_metaimage, write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stills, three loops and what is no frame at all."""
    (tmp_path / "deep").mkdir()
    write_picture(tmp_path / "2.png", asymmetric_picture())
    write_picture(tmp_path / "10.png", asymmetric_picture())
    write_dicom(tmp_path / "deep" / "loop.dcm", noise_loop(3))
    write_metaimage(tmp_path / "deep" / "stack.mha", noise_loop(4))
    write_video(tmp_path / "video.avi", smooth_loop())
    (tmp_path / "notes.txt").write_text("no frame")
    write_picture(tmp_path / "2_overlay.png", asymmetric_picture())
    return tmp_path


def test_stills_and_loops_come_in_natural_order(folder: Path) -> None:
    stream = FrameStream(folder)
    items = list(stream)
    names = [Path(item["image"].meta["filename_or_obj"]).name for item in items]
    assert names == ["2.png", "10.png", *["loop.dcm"] * 3, *["stack.mha"] * 4, *["video.avi"] * FRAMES]
    assert [item["frame"] for item in items[2:9]] == [0, 1, 2, 0, 1, 2, 3]
    assert [item["loop"] for item in items] == [False] * 2 + [True] * (7 + FRAMES)
    assert items[-1]["frame_rate_hz"] == RATE_HZ
    assert math.isnan(items[0]["frame_rate_hz"])
    np.testing.assert_array_equal(items[0]["image"].numpy(), asymmetric_picture())
    assert not stream.rejected
    assert stream.source_dir == folder


def test_what_cannot_be_read_is_noted_and_the_rest_goes_on(folder: Path) -> None:
    cut(write_metaimage(folder / "broken.mha", noise_loop(4)))
    (folder / "empty.png").write_bytes(b"")
    write_picture(folder / "gray.png", np.full((9, 9), 7, np.uint8))
    stream = FrameStream(folder)
    for _ in range(2):  # a second pass starts anew
        whole = [item for item in stream if "broken" not in str(item["image"].meta["filename_or_obj"])]
        assert len(whole) == 9 + FRAMES
        reasons = {each.file.name: each.reason for each in stream.rejected}
        assert reasons.keys() == {"broken.mha", "empty.png", "gray.png"}
        assert "0 bytes" in reasons["empty.png"]
        assert "every pixel is 7" in reasons["gray.png"]


def test_a_list_of_files_and_one_file(folder: Path) -> None:
    files = [folder / "deep" / "loop.dcm", folder / "10.png"]
    stream = FrameStream(files)
    assert (stream.files, stream.source_dir) == (files, folder)
    assert [item["loop"] for item in stream] == [True] * 3 + [False]
    assert FrameStream(folder / "10.png").source_dir == folder
    mixed = FrameStream([folder / "deep", folder / "2.png"])
    assert [file.relative_to(mixed.source_dir).as_posix() for file in mixed.files] == [
        *("deep/loop.dcm", "deep/stack.mha", "2.png")
    ]


def test_through_a_loader(folder: Path) -> None:
    batches = list(DataLoader(IterableDataset(FrameStream(folder / "deep" / "stack.mha")), batch_size=1))
    assert [int(batch["frame"]) for batch in batches] == [0, 1, 2, 3]
    assert all(bool(batch["loop"]) for batch in batches)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        FrameStream(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no frames in this folder; expected files with one of \.avi"):
        FrameStream(tmp_path)
    with pytest.raises(ValueError, match="list of frames is empty"):
        FrameStream([])
