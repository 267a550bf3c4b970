"""Every kind of bad input beside a good frame: what the user reads, and that nothing else is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image

from fetal_monai.data import collect_frames
from tests.frame_files import (
    asymmetric_picture,
    cut,
    region,
    write_dicom,
    write_metaimage,
    write_nifti,
    write_picture,
)

PICTURE = asymmetric_picture()
VOLUME = np.stack([PICTURE, PICTURE, PICTURE])


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("Dear colleague, please find the frame attached.\n")


def directory_entry_without_target(path: Path) -> None:
    path.symlink_to(path.with_name("moved away.png"))


def truncated_picture(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300), np.uint8)
    cut(write_picture(path, noise))


def truncated_dicom(path: Path) -> None:
    cut(write_dicom(path, PICTURE))


def truncated_nifti(path: Path) -> None:
    cut(write_nifti(path, PICTURE))


def truncated_metaimage(path: Path) -> None:
    cut(write_metaimage(path, PICTURE))


def black(path: Path) -> None:
    write_picture(path, np.zeros_like(PICTURE))


def nan_nifti(path: Path) -> None:
    values = PICTURE.astype(np.float32)
    values[0, :5] = np.nan
    write_nifti(path, values)


def infinite_metaimage(path: Path) -> None:
    values = PICTURE.astype(np.float32)
    values[0, 0] = -np.inf
    write_metaimage(path, values)


def complex_nifti(path: Path) -> None:
    nib.save(nib.Nifti1Image(PICTURE.T.astype(np.complex64), np.eye(4)), path)


def volume_nifti(path: Path) -> None:
    nib.save(nib.Nifti1Image(VOLUME.transpose(2, 1, 0), np.eye(4)), path)


def volume_metaimage(path: Path) -> None:
    write_metaimage(path, VOLUME)


def cine_dicom(path: Path) -> None:
    write_dicom(path, np.repeat(PICTURE[None], 30, axis=0))


def two_pages(path: Path) -> None:
    Image.fromarray(PICTURE).save(path, save_all=True, append_images=[Image.fromarray(PICTURE)])


def report_dicom(path: Path) -> None:
    dataset = pydicom.dcmread(write_dicom(path, PICTURE, Modality="SR"))
    del dataset.PixelData
    dataset.save_as(path)


def dicom_with_wrong_size(path: Path) -> None:
    write_dicom(path, PICTURE, Rows=480)


def dicom_without_transfer_syntax(path: Path) -> None:
    dataset = pydicom.dcmread(write_dicom(path, PICTURE))
    del dataset.file_meta.TransferSyntaxUID
    dataset.save_as(path, implicit_vr=False, little_endian=True)


def header_without_data_file(path: Path) -> None:
    write_metaimage(path, PICTURE)
    path.with_suffix(".raw").unlink()


def header_of_two_channels(path: Path) -> None:
    write_metaimage(path, PICTURE)
    path.write_bytes(path.read_bytes().replace(b"ElementType", b"ElementNumberOfChannels = 2\nElementType"))


def list_of_data_files(path: Path) -> None:
    write_metaimage(path, PICTURE)
    path.write_text(path.read_text().replace("= list.raw", "= LIST"))


def pattern_of_data_files(path: Path) -> None:
    write_metaimage(path, PICTURE)
    path.write_text(path.read_text().replace("= pattern.raw", "= scan%s.raw 1 2 1"))


def raw_metaimage_that_claims_to_be_compressed(path: Path) -> None:
    write_metaimage(path, PICTURE)
    path.write_bytes(path.read_bytes().replace(b"CompressedData = False", b"CompressedData = True"))


def nifti_with_a_wrong_checksum(path: Path) -> None:
    content = bytearray(write_nifti(path, PICTURE).read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def nifti_in_metres(path: Path) -> None:
    write_nifti(path, PICTURE, unit="meter")


def huge_nifti(path: Path) -> None:
    write_nifti(path, PICTURE, spacing=(1e30, 0.2))


def huge_metaimage(path: Path) -> None:
    write_metaimage(path, PICTURE, spacing=(1e300, 1e300))


def tiny_metaimage(path: Path) -> None:
    write_metaimage(path, PICTURE, spacing=(1e-30, 0.2))


def huge_dicom(path: Path) -> None:
    write_dicom(path, PICTURE, [region(0.3, 9000.0)], PixelSpacing=[0.3, 0.2])


class BadFile(NamedTuple):
    name: str
    make: Callable[[Path], None]
    reason: str


DAMAGED = "cannot be read as a frame, so it is damaged or not what its name says .*export or copy it again"
BAD_FILES = [
    BadFile("empty.png", empty, r"empty \(0 bytes\); copy or export it again"),
    BadFile("text.png", text, r"says \(cannot identify image file text\.png\); export or copy it again"),
    BadFile("text.jpg", text, DAMAGED),
    BadFile("text.dcm", text, DAMAGED),
    BadFile("text.nii", text, DAMAGED),
    BadFile("text.nii.gz", text, DAMAGED),
    BadFile("text.mha", text, "no MetaImage header .*export the frame again"),
    BadFile("broken link.png", directory_entry_without_target, "no such file; check the path"),
    BadFile("truncated.png", truncated_picture, DAMAGED),
    BadFile("truncated.jpg", truncated_picture, DAMAGED),
    BadFile("truncated.bmp", truncated_picture, DAMAGED),
    BadFile("truncated.tiff", truncated_picture, DAMAGED),
    BadFile("truncated.dcm", truncated_dicom, DAMAGED),
    BadFile("truncated.nii.gz", truncated_nifti, DAMAGED),
    BadFile("truncated.mha", truncated_metaimage, DAMAGED),
    BadFile("black.png", black, "every pixel is 0: no image content. Export the frame again"),
    BadFile("nan.nii", nan_nifti, "5 of 3072 pixels are NaN or infinite; expected finite grey levels"),
    BadFile("infinite.mha", infinite_metaimage, "1 of 3072 pixels are NaN or infinite"),
    BadFile("complex.nii", complex_nifti, "complex values; expected grey levels"),
    BadFile("volume.nii", volume_nifti, "has size 64 x 48 x 3; expected one 2-D frame"),
    BadFile("volume.mha", volume_metaimage, "has size 64 x 48 x 3; expected one 2-D frame"),
    BadFile("cine.dcm", cine_dicom, "has 30 frames; expected one 2-D frame. Export the frame to measure on its own"),
    BadFile("pages.tif", two_pages, "has 2 frames; expected one 2-D frame"),
    BadFile("animated.png", two_pages, "has 2 frames; expected one 2-D frame"),
    BadFile("report.dcm", report_dicom, r"a DICOM file without pixels \(SR\); export the frame itself"),
    BadFile("wrong size.dcm", dicom_with_wrong_size, DAMAGED),
    BadFile("no syntax.dcm", dicom_without_transfer_syntax, DAMAGED),
    BadFile(
        "no data.mhd", header_without_data_file, "its data file no data.raw is missing; put it into the same folder"
    ),
    BadFile("list.mhd", list_of_data_files, r"in several files \(ElementDataFile = LIST\); expected LOCAL or the name"),
    BadFile("pattern.mhd", pattern_of_data_files, r"in several files \(ElementDataFile = scan%s\.raw 1 2 1\)"),
    BadFile("not compressed.mha", raw_metaimage_that_claims_to_be_compressed, DAMAGED),
    BadFile("checksum.nii.gz", nifti_with_a_wrong_checksum, DAMAGED),
    BadFile("metres.nii", nifti_in_metres, "the header states a pixel spacing of 300 x 200 mm .*between 0.01 and 2 mm"),
    BadFile("huge.nii.gz", huge_nifti, r"spacing of 1e\+30 x 0.2 mm \(row x column\); expected between 0.01 and 2 mm"),
    BadFile("huge.mha", huge_metaimage, r"spacing of 1e\+300 x 1e\+300 mm"),
    BadFile("tiny.mhd", tiny_metaimage, "spacing of 1e-30 x 0.2 mm"),
    BadFile("huge.dcm", huge_dicom, "spacing of 0.3 x 9000 mm .* Correct it, or .* with override_pixel_spacing"),
    BadFile("two channels.mha", header_of_two_channels, r"2 values per pixel; expected 1 \(gray\) or 3"),
]

BAD_ROWS = {
    "zero": (
        "0",
        "the table says pixel size(mm) = '0'; expected the size of a pixel, between 0.01 and 2 mm, with",
    ),
    "too small": ("0.0099", "= '0.0099'; expected the size of a pixel, between 0.01 and 2 mm"),
    "too large": ("2.01", "= '2.01'; expected the size of a pixel, between 0.01 and 2 mm"),
    "negative": ("-0.2", "= '-0.2'; expected the size of a pixel"),
    "not a number": ("nan", "= 'nan'; expected the size of a pixel"),
    "infinite": ("inf", "= 'inf'; expected the size of a pixel"),
    "words": ("0.2 mm", "= '0.2 mm'; expected the size of a pixel"),
    "decimal comma": ('"0,2"', "= '0,2'; expected the size of a pixel"),
}


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_bad_file_is_told_and_the_batch_goes_on(tmp_path: Path, bad: BadFile) -> None:
    good = [str(write_picture(tmp_path / name, PICTURE)) for name in ("a good frame.png", "z good frame.png")]
    bad.make(tmp_path / bad.name)

    collection = collect_frames(tmp_path)

    assert [frame["image"] for frame in collection.frames] == good
    (rejected,) = collection.rejected
    assert rejected.file == tmp_path / bad.name
    assert str(tmp_path / bad.name) not in rejected.reason, "the row names the file already"
    assert re.search(bad.reason, rejected.reason), rejected.reason


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_bad_spacing_in_the_table_is_told_and_the_batch_goes_on(tmp_path: Path, bad: str) -> None:
    value, reason = BAD_ROWS[bad]
    frames = tmp_path / "frames"
    frames.mkdir()
    for name in ("good.png", "bad.png"):
        write_picture(frames / name, PICTURE)
    table = tmp_path / "table.csv"
    table.write_text(f"filename,pixel size(mm)\nbad.png,{value}\ngood.png,0.2\n")

    collection = collect_frames(frames, table=table)

    assert [(frame["image"], frame["pixel_spacing_mm"]) for frame in collection.frames] == [
        (str(frames / "good.png"), [0.2, 0.2])
    ]
    (rejected,) = collection.rejected
    assert rejected.file == frames / "bad.png"
    assert reason in rejected.reason


def test_all_of_them_at_once(tmp_path: Path) -> None:
    good = str(write_picture(tmp_path / "good.png", PICTURE))
    for bad in BAD_FILES:
        bad.make(tmp_path / bad.name)
    collection = collect_frames(tmp_path)
    assert [frame["image"] for frame in collection.frames] == [good]
    assert {rejected.file.name for rejected in collection.rejected} == {bad.name for bad in BAD_FILES}
