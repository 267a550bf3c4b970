from __future__ import annotations

from pathlib import Path

import av
import pytest
import torch
from ignite.engine import Engine, Events
from PIL import Image

from fetal_monai.handlers import RegionOverlays
from tests.handlers.region_inference import CLASSES, inferred, loop, run


def test_a_picture_of_a_still_and_a_video_of_each_loop(tmp_path: Path) -> None:
    source, output = tmp_path / "source", tmp_path / "out"
    frames = [
        *loop(source / "exam" / "a.dcm", 5),
        *loop(source / "b.mp4", 3, known=False),
        inferred(source / "c.png"),
    ]
    run([RegionOverlays(output, CLASSES, source)], frames)
    written = {path.relative_to(output).as_posix() for path in output.rglob("*.*")}
    assert written == {"exam/a_dcm_overlay.mp4", "b_overlay.mp4", "c_overlay.png"}
    for name, count in (("exam/a_dcm_overlay.mp4", 5), ("b_overlay.mp4", 3)):
        with av.open(str(output / name)) as container:
            stream = container.streams.video[0]
            assert stream.average_rate == 10
            assert stream.codec_context.name == "h264"
            pictures = [frame.to_image() for frame in container.decode(stream)]
        assert len(pictures) == count
        with Image.open(output / "c_overlay.png") as still:
            assert pictures[0].size == (still.width // 2 * 2, still.height // 2 * 2)


def test_a_loop_without_a_rate_and_an_end_by_an_error(tmp_path: Path) -> None:
    frames = loop(tmp_path / "a.mha", 2)
    for batch, _ in frames:
        batch["frame_rate_hz"] = torch.tensor(float("nan"))
    del frames[1][1]["pred_region"]

    class Raise:
        def attach(self, engine: Engine) -> None:
            engine.add_event_handler(Events.EXCEPTION_RAISED, self.again)

        def again(self, engine: Engine, error: BaseException) -> None:
            raise error

    with pytest.raises(KeyError, match="pred_region"):
        run([RegionOverlays(tmp_path, CLASSES), Raise()], frames)
    (video,) = tmp_path.iterdir()
    with av.open(str(video)) as container:
        assert container.streams.video[0].average_rate == 25
        assert len(list(container.decode(video=0))) == 1
