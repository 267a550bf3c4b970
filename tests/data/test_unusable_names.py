from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from fetal_monai.data import FrameStream, collect_frames
from fetal_monai.data.unusable_names import unusable_names
from tests.frame_files import asymmetric_picture, write_picture

TWINS = [("X.png", "x.png"), ("x.PNG", "x.png"), ("Exam/1.png", "exam/1.png"), ("a", "a.dicom")]
TWINS += [(unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "é.png"))]


@pytest.mark.parametrize(("first", "second"), TWINS)
def test_of_names_that_a_file_system_may_not_distinguish_the_first_is_fit(first: str, second: str) -> None:
    files = [Path("in", name) for name in (first, "other.png", second)]
    ((file, reason),) = unusable_names(files, Path("in")).items()
    assert file == files[2]
    assert reason.startswith(f"its output files would have the same names as those of {first}: ")


def test_the_same_name_in_two_folders_and_another_suffix_are_fit() -> None:
    files = [Path("in", name) for name in ("a/1.png", "b/1.png", "a/1.jpg", "a/1", "a/1_png.png")]
    assert unusable_names(files, Path("in")) == {}


def test_they_are_rejected_before_the_run_and_the_others_are_not(tmp_path: Path) -> None:
    not_utf_8 = tmp_path / os.fsdecode(b"F\xf6tus.png")
    for file in (tmp_path / "x.PNG", tmp_path / "x.png", not_utf_8, tmp_path / "y.png"):
        write_picture(tmp_path / "picture.png", asymmetric_picture()).rename(file)
    stream = FrameStream(tmp_path)
    streamed = [Path(item["image"].meta["filename_or_obj"]) for item in stream]
    collection = collect_frames(tmp_path)
    assert streamed == [Path(frame["image"]) for frame in collection.frames] == [tmp_path / "x.PNG", tmp_path / "y.png"]
    for rejected in (collection.rejected, stream.rejected):
        reasons = {each.file: each.reason for each in rejected}
        assert reasons.keys() == {not_utf_8, tmp_path / "x.png"}
        assert reasons[not_utf_8] == "its name is not valid UTF-8, so a table cannot contain it; rename the file."
        assert "Rename one of them" in reasons[tmp_path / "x.png"]
