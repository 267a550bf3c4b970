from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.data import mask_suffix
from fetal_monai.data.unusable_names import unusable_names
from fetal_monai.reporting.output_path import output_path
from tests.frame_files import asymmetric_picture, write_dicom


@pytest.mark.parametrize(
    ("frame", "suffix", "expected"),
    [
        ("in/007_HC.png", ".png", "out/007_HC_mask.png"),
        ("in/thorax/left/7.png", ".png", "out/thorax/left/7_mask.png"),
        ("in/7.nii.gz", ".nii.gz", "out/7_mask.nii.gz"),
        ("in/7.v2.mha", ".mha", "out/7.v2_mask.mha"),
        ("in/7.JPG", ".png", "out/7_jpg_mask.png"),
        ("in/7.nii.gz", ".png", "out/7_niigz_mask.png"),
        ("in/loop.mp4", ".mp4", "out/loop_mask.mp4"),
        ("in/loop.AVI", ".mp4", "out/loop_avi_mask.mp4"),
        ("elsewhere/7.png", ".png", "out/7_mask.png"),
        ("in/scan_jpg.png", ".png", "out/scan_jpg_png_mask.png"),
        ("in/scan_jpg_png.png", ".png", "out/scan_jpg_png_png_mask.png"),
        ("in/scan_JPG.png", ".png", "out/scan_JPG_png_mask.png"),
        ("in/scan_jpg.jpg", ".png", "out/scan_jpg_jpg_mask.png"),
    ],
)
def test_mirrors_the_source(frame: str, suffix: str, expected: str) -> None:
    assert output_path(frame, "in", "out", "_mask", suffix) == Path(expected)


def test_without_a_source_there_are_no_folders() -> None:
    assert output_path("in/thorax/7.png", None, "out", "_mask", ".png") == Path("out/7_mask.png")


def test_dicom_without_a_suffix_keeps_its_whole_name(tmp_path: Path) -> None:
    frame = write_dicom(tmp_path / "1.2.840.5", asymmetric_picture())
    assert output_path(frame, tmp_path, "out", "_mask", "") == Path("out/1.2.840.5_mask")
    assert output_path(frame, tmp_path, "out", "_overlay", ".png") == Path("out/1.2.840.5_dicom_overlay.png")


def test_frames_that_differ_in_suffix_alone_do_not_overwrite_each_other() -> None:
    frames = ("7.png", "7.jpg", "7.jpeg", "7.bmp", "7.tif", "7.mha", "7.mhd", "7.nii", "7.nii.gz", "7.dcm")
    assert len({output_path(frame, None, "out", "_overlay", ".png") for frame in frames}) == len(frames)


STEMS = st.lists(st.sampled_from(["a", "A", "_jpg", "_png", "_dicom", "_niigz"]), min_size=1, max_size=3).map("".join)
NAMES = st.builds("{}{}".format, STEMS, st.sampled_from(["", ".PNG", ".png", ".jpg", ".nii.gz", ".dicom", ".mp4"]))


@given(st.lists(NAMES, unique=True))
def test_no_two_frames_share_a_path_even_where_case_does_not_count(names: list[str]) -> None:
    frames = [Path("in", name) for name in names]
    fit = [frame for frame in frames if frame not in unusable_names(frames, Path("in"))]
    for suffix_of in (mask_suffix, lambda frame: ".png", lambda frame: ".xml", lambda frame: ".mp4"):
        paths = {str(output_path(frame, "in", "out", "_mask", suffix_of(frame))).casefold() for frame in fit}
        assert len(paths) == len(fit)


def test_a_name_that_is_too_long_for_a_file_is_an_error() -> None:
    stem = "x" * (255 - len("_overlay.png"))
    assert output_path(f"{stem}.png", None, "out", "_overlay", ".png").name == f"{stem}_overlay.png"
    with pytest.raises(ValueError, match=r"would have 1 bytes more than the 255 .*give the frame a shorter name"):
        output_path(f"{stem}x.png", None, "out", "_overlay", ".png")
