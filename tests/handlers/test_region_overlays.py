from __future__ import annotations

import csv
from pathlib import Path

import av
import pytest
import torch
from ignite.engine import Engine, Events
from PIL import Image

from fetal_monai.handlers import RegionOverlays, RegionTable
from tests.handlers.region_inference import CLASSES, inferred, loop, run, stream_of


def test_a_picture_of_a_still_and_a_video_of_each_loop(tmp_path: Path) -> None:
    source, output = tmp_path / "source", tmp_path / "out"
    frames = [
        *loop(source / "exam" / "a.dcm", 5),
        *loop(source / "b.mp4", 3, known=False),
        inferred(source / "c.png"),
    ]
    source.mkdir()
    run([RegionOverlays(stream_of(source), output_dir=output, class_names=CLASSES)], frames)
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

    class Stop:
        """Ends the run behind the first frame, as an error of the network does."""

        def attach(self, engine: Engine) -> None:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.stop)
            engine.add_event_handler(Events.EXCEPTION_RAISED, self.again)

        def stop(self, engine: Engine) -> None:
            raise ArithmeticError("the network failed")

        def again(self, engine: Engine, error: BaseException) -> None:
            raise error

    with pytest.raises(ArithmeticError, match="the network failed"):
        run([RegionOverlays(stream_of(tmp_path), output_dir=tmp_path / "out", class_names=CLASSES), Stop()], frames)
    (video,) = (tmp_path / "out").iterdir()
    with av.open(str(video)) as container:
        assert container.streams.video[0].average_rate == 25
        assert len(list(container.decode(video=0))) == 1


def test_a_file_that_cannot_be_drawn_is_a_failed_row_and_the_others_are_drawn(tmp_path: Path) -> None:
    stream, output = stream_of(tmp_path), tmp_path / "out"
    too_long, broken = tmp_path / f"{'x' * 250}.png", loop(tmp_path / "b.mp4", 4)
    del broken[2][1]["pred_heat"]
    frames = [inferred(too_long), *broken, inferred(tmp_path / "c.png"), *loop(tmp_path / "d.mp4", 2)]
    run(
        [
            RegionTable(stream, output_dir=output, class_names=CLASSES),
            RegionOverlays(stream, output_dir=output / "overlays", class_names=CLASSES),
        ],
        frames,
    )
    assert {path.name for path in (output / "overlays").iterdir()} == {"c_overlay.png", "d_overlay.mp4"}
    with (output / "regions.csv").open(newline="") as file:
        failed = {row["file"]: row["reason"] for row in csv.DictReader(file) if row["status"] == "failed"}
    assert failed.keys() == {"2.png", too_long.name, "b.mp4"}
    assert "give the frame a shorter name" in failed[too_long.name]
    assert failed["b.mp4"].startswith("no picture: ")
