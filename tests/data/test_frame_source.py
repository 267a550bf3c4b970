from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fetal_monai.data.frame_source import FrameSource, SourceFrame, open_frame_source
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.rejected import Rejected
from tests.data.io.cine.loops import FRAMES, HEIGHT, RATE_HZ, WIDTH, noise_loop, write_video
from tests.frame_files import COLUMN_MM, ROW_MM, asymmetric_picture, cut, region, write_dicom, write_picture

PICTURE = asymmetric_picture()


def frames(source: FrameSource) -> list[SourceFrame]:
    return [each for each in source if isinstance(each, SourceFrame)]


def rejected(source: FrameSource) -> list[Rejected]:
    return [each for each in source if isinstance(each, Rejected)]


def test_stills_and_loops_of_a_folder(tmp_path: Path) -> None:
    write_dicom(tmp_path / "still.dcm", PICTURE)
    write_dicom(tmp_path / "loop.dcm", noise_loop(), FrameTime=40.0)
    write_video(tmp_path / "video.avi", noise_loop())
    write_picture(tmp_path / "frame.png", PICTURE)
    found = frames(open_frame_source([tmp_path], pixel_spacing_mm=0.1))
    assert [(each.file.name, each.index) for each in found] == [
        ("frame.png", 0),
        *(("loop.dcm", index) for index in range(FRAMES)),
        ("still.dcm", 0),
        *(("video.avi", index) for index in range(FRAMES)),
    ]
    assert [each.is_still for each in found if each.index == 0] == [True, False, True, False]
    spacings = {each.file.name: (each.scale.pixel_spacing_mm, each.scale.source) for each in found}
    assert spacings == {
        "frame.png": ((0.1, 0.1), "option"),
        "loop.dcm": ((ROW_MM, COLUMN_MM), "header"),
        "still.dcm": ((ROW_MM, COLUMN_MM), "header"),
        "video.avi": ((0.1, 0.1), "option"),
    }
    np.testing.assert_array_equal(found[0].frame.pixels, read_frame(tmp_path / "frame.png").pixels)
    loop = [each for each in found if each.file.name == "loop.dcm"]
    np.testing.assert_array_equal([each.frame.pixels for each in loop], noise_loop())
    assert [each.time_s for each in loop] == pytest.approx(np.arange(FRAMES) * 0.04)
    assert loop[0].frame_rate_hz == RATE_HZ


def test_a_loop_keeps_the_regions_and_the_study_of_its_file(tmp_path: Path) -> None:
    left = region(0.2, 0.2, (0, 0, WIDTH // 2 - 1, HEIGHT - 1))
    right = region(0.4, 0.4, (WIDTH // 2, 0, WIDTH - 1, HEIGHT - 1))
    write_dicom(tmp_path / "loop.dcm", noise_loop(), [left, right])
    found = frames(open_frame_source([tmp_path / "loop.dcm"]))
    assert {each.scale.pixel_spacing_mm for each in found} == {None}
    assert [part.pixel_spacing_mm for part in found[-1].scale.ultrasound_regions] == [(0.2, 0.2), (0.4, 0.4)]
    assert found[-1].frame.study["patient_id"] == "4711"


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    loop = noise_loop()
    loop[3] = 7
    write_dicom(tmp_path / "loop.dcm", loop)
    cut(write_picture(tmp_path / "cut.png", PICTURE))
    write_picture(tmp_path / "flat.png", np.zeros_like(PICTURE))
    write_picture(tmp_path / "good.png", PICTURE)
    (tmp_path / "table.csv").write_text("filename,pixel_spacing_mm\ngood.png,0.2\ngone.png,0.2\n")
    source = open_frame_source([tmp_path], table=tmp_path / "table.csv")
    reasons = {(each.file.name, each.frame): each.reason for each in rejected(source)}
    assert reasons.keys() == {("gone.png", None), ("cut.png", None), ("flat.png", None), ("loop.dcm", 3)}
    assert "in the table table.csv" in reasons["gone.png", None]
    assert "every pixel is 7" in reasons["loop.dcm", 3]
    assert len(frames(source)) == FRAMES - 1 + 1


def test_several_sources_are_named_relative_to_their_common_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_picture(tmp_path / "a" / "1.png", PICTURE)
    write_picture(tmp_path / "b" / "1.png", PICTURE)
    source = open_frame_source([tmp_path / "a", tmp_path / "b" / "1.png", tmp_path / "a" / "1.png"])
    assert source.source_dir == tmp_path
    assert source.files == [tmp_path / "a" / "1.png", tmp_path / "b" / "1.png"]


def test_the_parts_are_all_files_each_once(tmp_path: Path) -> None:
    for number in range(7):
        write_picture(tmp_path / f"{number}.png", PICTURE)
    source = open_frame_source([tmp_path])
    parts = [source.part(number, 3).files for number in (1, 2, 3)]
    assert sorted(file for part in parts for file in part) == sorted(source.files)
    assert source.without(set(parts[0])).files == sorted([*parts[1], *parts[2]])


def test_a_source_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        open_frame_source([tmp_path / "nowhere"])
