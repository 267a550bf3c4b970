from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fetal_monai.cli.main import main
from fetal_monai.data import read_frame
from fetal_monai.data.frame_source import SourceFrame, open_frame_source
from fetal_monai.data.io.reading import Frame
from fetal_monai.files import read_csv_table
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.measure_frames import MeasuredFrame, measure_frames
from fetal_monai.phantom import write_phantoms
from tests.cli.interrupted import interrupted
from tests.data.io.cine.loops import write_video
from tests.frame_files import cut, region, write_dicom

pytestmark = pytest.mark.slow

SPACING = ["--pixel-spacing-mm", "0.15"]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five simulated heads, and one file that was cut off."""
    folder = tmp_path_factory.mktemp("frames")
    write_phantoms(folder / "all", count=5, seed=4)
    kept = folder / "kept"
    kept.mkdir()
    for frame in sorted((folder / "all" / "training_set").glob("*_HC.png")):
        shutil.copy(frame, kept)
    shutil.copy(next(kept.iterdir()), kept / "z.png")
    cut(kept / "z.png")
    return kept


def table(folder: Path, name: str = "measurements.csv") -> list[dict[str, str]]:
    return read_csv_table(folder / name)[1]


@pytest.fixture(scope="module")
def measured(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "out"
    assert main(["measure", str(frames), *SPACING, "-o", str(folder), "--quiet"]) == 1  # z.png failed
    return folder


def test_a_row_for_each_file(frames: Path, measured: Path) -> None:
    rows = table(measured)
    assert [row["file"] for row in rows] == sorted(frame.name for frame in frames.iterdir())
    assert [row["status"] == "failed" for row in rows] == [False] * 5 + [True]
    assert "cannot be read" in rows[-1]["reason"] or "truncated" in rows[-1]["reason"]
    assert {row["pixel_spacing_source"] for row in rows[:-1]} == {"option"}


def test_the_json_file_states_the_same_and_what_measured(measured: Path) -> None:
    content = json.loads((measured / "measurements.json").read_text())
    assert (content["bundle"], content["precision"]) == ("bisenet", HeadMeasurer().runtime.precision)
    assert len(content["weights_sha256"]) == 64
    for row, stated in zip(table(measured), content["measurements"], strict=True):
        assert stated["status"] == row["status"]
        assert stated.get("head_circumference_mm", 0.0) == pytest.approx(float(row["head_circumference_mm"] or 0), 1e-5)


def test_the_command_measures_as_the_python_interface_does(frames: Path, measured: Path) -> None:
    measurer = HeadMeasurer()
    for row in table(measured)[:-1]:
        result = measurer(read_frame(frames / row["file"]).pixels, pixel_spacing_mm=0.15)
        assert row["status"] == result.status
        assert float(row["head_circumference_mm"]) == pytest.approx(result.head_circumference_mm, rel=1e-5)


def test_what_it_prints(frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["measure", str(frames), *SPACING, "-o", str(tmp_path / "out"), "--save", "masks", "overlays"])
    printed = capsys.readouterr()
    assert code == 1
    lines = printed.out.splitlines()
    assert lines[0].split() == ["file", "HC", "mm", "BPD", "mm", "OFD", "mm", "GA", "status"]
    assert len(lines) == 1 + 6 + 2
    (row, *_) = table(tmp_path / "out")
    assert lines[1].split()[:2] == [row["file"], f"{float(row['head_circumference_mm']):.1f}"]
    assert printed.err.splitlines()[-1].startswith("failed: z.png: ")
    for kind, ending in (("masks", "_mask.png"), ("overlays", "_overlay.png")):
        written = sorted(path.name for path in (tmp_path / "out" / kind).iterdir())
        assert written == [f"{Path(row['file']).stem}{ending}" for row in table(tmp_path / "out")[:-1]]


def test_an_interrupted_run_continues(frames: Path, measured: Path, tmp_path: Path) -> None:
    shutil.copytree(measured, tmp_path / "out")
    begun = tmp_path / "out" / "measurements.csv"
    begun.write_text("".join(begun.read_text().splitlines(keepends=True)[:3]))  # the header and two rows
    (tmp_path / "out" / "measurements.json").unlink()
    command = ["measure", str(frames), *SPACING, "-o", str(tmp_path / "out"), "--quiet"]
    assert main(command) == 2  # the folder is in use
    assert main([*command, "--continue"]) == 1
    for name in ("measurements.csv", "measurements.json"):
        assert (tmp_path / "out" / name).read_text() == (measured / name).read_text()


def test_the_parts_together_are_the_whole(frames: Path, measured: Path, tmp_path: Path) -> None:
    command = ["measure", str(frames), *SPACING, "-o", str(tmp_path), "--quiet"]
    assert [main([*command, "--part", f"{number}/2"]) for number in (1, 2)] == [0, 1]
    rows = [row for number in (1, 2) for row in table(tmp_path, f"measurements_part{number}of2.csv")]
    assert sorted(rows, key=lambda row: row["file"]) == table(measured)


def test_runs_are_numbered(frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = str(next(frames.iterdir()))
    for _ in range(2):
        assert main(["measure", frame, "--quiet"]) == 0
    assert main(["measure", frame, "--quiet", "--continue"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["measurements_1", "measurements_2"]
    assert table(tmp_path / "measurements_2")[0]["status"] == "unscaled"


def test_a_loop_has_a_track_and_a_frame_to_report(frames: Path, tmp_path: Path) -> None:
    pixels = read_frame(next(frames.glob("*_HC.png"))).pixels.astype(np.uint8)
    loop = np.stack([np.roll(pixels, shift, axis=1) for shift in range(12)])
    loop[5] = 9  # without content
    (tmp_path / "in").mkdir()
    height, width = pixels.shape
    write_dicom(tmp_path / "in" / "loop.dcm", loop, [region(0.2, 0.2, (0, 0, width - 1, height - 1))], FrameTime=40.0)
    write_video(tmp_path / "in" / "video.avi", loop[:4])
    out = tmp_path / "out"
    assert main(["measure", str(tmp_path / "in"), "-o", str(out), "--save", "overlays", "--quiet"]) == 1
    rows = table(out)
    assert [(row["file"], row["frame"]) for row in rows if row["status"] == "failed"] == [("loop.dcm", "5")]
    summaries = json.loads((out / "measurements.json").read_text())["loops"]
    assert [(loop["file"], loop["frames"]) for loop in summaries] == [("loop.dcm", 11), ("video.avi", 4)]
    reported = summaries[0]["frame_to_report"]
    (row,) = [row for row in rows if (row["file"], row["frame"]) == ("loop.dcm", str(reported))]
    assert summaries[0]["head_circumference_mm"] == pytest.approx(float(row["head_circumference_mm"]), rel=1e-5)
    track = table(out / "loops", "loop_dcm_track.csv")
    assert [row["frame"] for row in track] == [str(index) for index in range(12) if index != 5]
    assert float(track[-1]["time_s"]) == pytest.approx(0.44)
    assert (out / "loops" / "loop_dcm_report.png").is_file()
    assert (out / "overlays" / "video_avi_overlay.mp4").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["nowhere/*.png"], "no file fits this pattern"),
        ([".", "--bundle", "unet"], "unet: no such bundle"),
        ([".", "--pixel-spacing-mm", "12"], "expected the size of a pixel"),
        ([".", "--bundle", "soft_proposal"], "preprocessing must load a gray frame and resize it"),
    ],
)
def test_what_cannot_be_done_as_given(
    frames: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(frames)
    assert main(["measure", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (frames / "measurements_1").exists()


def test_ctrl_c_leaves_complete_rows(frames: Path, measured: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(400):
        os.link(next(frames.glob("*_HC.png")), many / f"{number}.png")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fetal_monai", "measure", str(many), "-o", str(out)]
    errors = interrupted(command, out / "measurements.csv", lines=10)
    assert "--continue measures the rest" in errors
    rows = table(out)
    assert 8 < len(rows) < 400
    assert {row["status"] for row in rows} == {"unscaled"}


def test_frames_are_not_read_far_ahead(frames: Path) -> None:
    """The memory does not grow with the number of frames."""
    source = open_frame_source([next(frames.glob("*_HC.png"))])
    (frame,) = (each for each in source if isinstance(each, SourceFrame))
    taken = 0

    def many() -> Iterator[SourceFrame]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield SourceFrame(frame.file, Frame(frame.frame.pixels[::8, ::8], None), frame.scale)

    measurer = HeadMeasurer(batch_size=2)
    for given, item in enumerate(measure_frames(many(), measurer), start=1):
        assert isinstance(item, MeasuredFrame)
        assert taken <= given + 3 * measurer.batch_size + 1
