from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monai.transforms import Compose, EnsureChannelFirstd

from fetal_monai.data import FrameDataset, FrameStream
from fetal_monai.transforms import FrameGeometryd
from tests.frame_files import asymmetric_picture, write_metaimage, write_picture

PREPARATION = Compose([EnsureChannelFirstd("image", channel_dim="no_channel"), FrameGeometryd("image")])


def test_a_frame_of_a_stream_that_cannot_be_prepared_is_noted(tmp_path: Path) -> None:
    """A header that states no geometry there is: reading the frame does not look at it, preparing it does."""
    write_picture(tmp_path / "a.png", asymmetric_picture())
    loop = write_metaimage(tmp_path / "b.mha", np.stack([asymmetric_picture()] * 2))
    loop.write_bytes(loop.read_bytes().replace(b"ElementType", b"geometry = cone\nElementType"))
    write_picture(tmp_path / "c.png", asymmetric_picture())
    (tmp_path / "d.png").touch()

    stream = FrameStream(tmp_path)
    dataset = FrameDataset(stream, PREPARATION, stream.rejected)
    for _ in range(2):
        prepared = [Path(item["image"].meta["filename_or_obj"]).name for item in dataset]
        assert prepared == ["a.png", "c.png"]
        assert [each.file.name for each in stream.rejected] == ["b.mha", "b.mha", "d.png"]
        assert stream.rejected[1].reason.startswith("frame 1: the header: geometry is 'cone'; expected one of")


def test_its_length_is_that_of_the_frames_or_unknown(tmp_path: Path) -> None:
    frame = str(write_picture(tmp_path / "a.png", asymmetric_picture()))
    assert len(FrameDataset([{"image": frame}], PREPARATION, [])) == 1
    with pytest.raises(TypeError, match="FrameStream has no length"):
        len(FrameDataset(FrameStream(frame), PREPARATION, []))
