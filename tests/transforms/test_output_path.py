from __future__ import annotations

from pathlib import Path

import pytest

from fetal_monai.transforms.output_path import output_path
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
