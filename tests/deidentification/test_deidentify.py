"""`fetal-monai deidentify`: what is exported, and what is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from data_prep import mask_folder
from fetal_monai.cli.main import main
from fetal_monai.data import read_frame
from fetal_monai.deidentification import KeyTable
from fetal_monai.files import read_csv_table
from tests.deidentification.conftest import (
    MARGIN_LEFT,
    MARGIN_TOP,
    SECRET,
    TEXT_LEVELS,
    TRACES,
    contents,
    plant,
    ultrasound_region,
    write_image,
)
from tests.frame_files import region, write_dicom, write_picture

LOOP_CLASS = "1.2.840.10008.5.1.4.1.1.3.1"
FORMATS = {"png": ".png", "dicom": ".dcm"}


@pytest.fixture(params=FORMATS)
def image_format(request: pytest.FixtureRequest) -> str:
    if request.param == "dicom":
        pytest.importorskip("dicomanonymizer", reason="not installed: pip install fetal-monai[dicom]")
    return str(request.param)


class Exports:
    """Folders for exports with one key table."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder / "shared", folder / "private" / "keys.csv"

    def __call__(self, *arguments: object) -> int:
        options = ["-o", str(self.folder), "--keys", str(self.keys)]
        return main(["deidentify", *map(str, arguments), *options])

    @property
    def rows(self) -> list[dict[str, str]]:
        return read_csv_table(self.folder / "frames.csv")[1]

    @property
    def key_rows(self) -> list[dict[str, str]]:
        return read_csv_table(self.keys)[1]


@pytest.fixture
def export(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


@pytest.fixture(scope="module")
def planted(ultrasound: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still and a loop with the patient's data in every attribute, and in the names of file and folder."""
    folder = tmp_path_factory.mktemp("archive") / SECRET
    folder.mkdir()
    for name, pixels in (("still", ultrasound), ("loop", np.stack([ultrasound, ultrasound[:, ::-1]]))):
        path = write_image(folder / f"{SECRET}_{name}.dcm", pixels)
        dataset = pydicom.dcmread(path)
        regions = dataset.SequenceOfUltrasoundRegions
        plant(dataset)
        dataset.SequenceOfUltrasoundRegions = regions
        dataset.SOPInstanceUID = f"1.2.826.0.47114711.{len(pixels)}"
        if name == "loop":
            dataset.SOPClassUID = LOOP_CLASS
        dataset.file_meta.SourceApplicationEntityTitle = SECRET
        dataset.file_meta.PrivateInformationCreatorUID = "1.2.826.0.47114711.9"
        dataset.file_meta.PrivateInformation = SECRET.encode()
        overlay = np.packbits(np.ones(64, dtype=np.uint8)).tobytes() + SECRET.encode()
        dataset.add_new(0x60003000, "OW", overlay)
        dataset.preamble = (SECRET.encode() * 26)[:128]
        dataset.save_as(path, enforce_file_format=True)
        assert sum(trace in path.read_bytes() for trace in TRACES) == len(TRACES)  # the test can fail
    return folder


def test_no_byte_of_the_export_tells_who_it_is(
    planted: Path, ultrasound: NDArray[np.uint8], export: Exports, image_format: str
) -> None:
    assert export(planted, "--format", image_format) == 0
    exported = contents(export.folder)
    assert len(exported) == 1 + 3
    for name, content in exported.items():
        assert SECRET not in name
        assert [trace for trace in TRACES if trace in content] == []
    assert any(SECRET.encode() in content for content in contents(export.keys.parent).values())  # the key leads back
    flipped = 0
    for row in export.rows:
        pixels = read_frame(export.folder / "images" / row["filename"]).pixels
        flipped += np.array_equal(pixels, ultrasound[:, ::-1])
        assert np.array_equal(pixels, ultrasound) or np.array_equal(pixels, ultrasound[:, ::-1])
    assert flipped == 1


def test_nothing_that_is_printed_tells_who_it_is(
    planted: Path, export: Exports, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    recwarn.clear()
    assert export(planted) == 0
    said = capsys.readouterr()
    assert said.out == f"Frames: 3, patients: 1. {export.folder / 'frames.csv'}\n"
    assert said.err == ""
    assert not [warning for warning in recwarn if SECRET in str(warning.message)]


def test_only_the_owner_can_read_the_key_table(planted: Path, export: Exports) -> None:
    umask = os.umask(0)
    try:
        assert export(planted) == 0
    finally:
        os.umask(umask)
    assert export.keys.stat().st_mode & 0o777 == 0o600
    assert {(row["sop_instance_uid"], row["frame"]) for row in export.key_rows} == {
        (pydicom.dcmread(path).SOPInstanceUID, str(frame))
        for path in planted.iterdir()
        for frame in range(2 if "loop" in path.name else 1)
    }
    assert {row["name"] for row in export.key_rows} == {Path(row["filename"]).stem for row in export.rows}
    export.keys.chmod(0o644)
    assert export(planted) == 0
    assert export.keys.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("keys", ["keys.csv", "deep/keys.csv", "link/keys.csv"])
def test_the_key_table_is_never_shared(
    planted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "link").symlink_to(shared)
    file = (tmp_path if keys.startswith("link") else shared) / keys
    assert main(["deidentify", str(planted), "-o", str(shared), "--keys", str(file)]) == 2
    assert "Keep it elsewhere." in capsys.readouterr().err
    assert not list(shared.iterdir())


def test_a_patient_keeps_the_number_in_later_exports(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for name, patient in (("a", "P1"), ("b", "P2"), ("c", "P1")):
        write_image(archive / f"{name}.dcm", ultrasound, PatientID=patient)
    assert export(archive / "a.dcm") == 0
    assert export(archive / "b.dcm") == 0
    first = contents(export.folder)
    assert export(archive) == 0
    assert {name: contents(export.folder)[name] for name in first if name != "frames.csv"} == {
        name: content for name, content in first.items() if name != "frames.csv"
    }
    patients = {row["file"][-5]: row["patient"] for row in export.key_rows}
    assert patients["a"] == patients["c"] != patients["b"]
    assert sorted(row["filename"] for row in export.rows) == sorted(f"{row['name']}.png" for row in export.key_rows)
    assert len(export.rows) == 3


def test_without_a_patient_id_a_study_is_kept_together(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for name, study in (("a", "1.2"), ("b", "1.3"), ("c", "1.2")):
        write_image(archive / f"{name}.dcm", ultrasound, PatientID="", StudyInstanceUID=study)
    assert export(archive) == 0
    patients = {row["file"][-5]: row["patient"] for row in export.key_rows}
    assert patients["a"] == patients["c"] != patients["b"]


@pytest.mark.parametrize(
    ("regions", "crop", "reason"),
    [
        ([], None, "its header states no ultrasound region"),
        ([region(0.2, 0.2, (0, 0, 809, 587))], None, "(almost) the whole frame"),
        ([region(0.2, 0.2, (4, 12, 809, 587))], None, "(almost) the whole frame"),
        ([region(0.2, 0.2, (0, 0, 0, 0))], None, "(almost) the whole frame"),
        ([region(0.2, 0.2, (900, 0, 999, 99))], None, "its header states no ultrasound region"),
        ([region(0.2, 0.2, (10, 10, 99, 99), RegionSpatialFormat=5)], None, "its header states no ultrasound region"),
        ([region(0.2, 0.2, (10, 10, 99, 99))], "200,200,300,300", "no ultrasound is in the part that --crop keeps"),
        ([], "900,0,999,99", "no ultrasound is in the part that --crop keeps"),
        ([region(0.2, 0.3, (10, 10, 99, 99))], None, "its pixels are not square"),
        ([region(0.2, 0.2, (10, 10, 99, 99)), region(0.4, 0.4, (200, 10, 300, 99))], None, "not of one size"),
    ],
)
def test_what_is_refused(
    ultrasound: NDArray[np.uint8],
    tmp_path: Path,
    export: Exports,
    capsys: pytest.CaptureFixture[str],
    regions: list[pydicom.Dataset],
    crop: str | None,
    reason: str,
) -> None:
    file = write_image(tmp_path / "image.dcm", ultrasound, regions=regions)
    assert export(file, *(["--crop", crop] if crop else [])) == 1
    assert reason in capsys.readouterr().err
    assert list(contents(export.folder)) == ["frames.csv"]
    assert not export.rows and not export.key_rows


def test_a_picture_that_is_no_dicom_is_refused(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_picture(tmp_path / "jane_doe.png", ultrasound)
    assert export(file, "--crop", "0,0,99,99") == 1
    assert "is not DICOM" in capsys.readouterr().err
    assert list(contents(export.folder)) == ["frames.csv"]


def test_the_user_states_the_part_to_keep(ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports) -> None:
    """With a region, what both have in common."""
    archive = tmp_path / "archive"
    archive.mkdir()
    write_image(archive / "a.dcm", ultrasound, regions=[], PatientID="A")
    write_image(archive / "b.dcm", ultrasound, PatientID="B")
    crop = (0, MARGIN_TOP + 5, MARGIN_LEFT + 19, MARGIN_TOP + 14)
    assert export(archive, "--crop", ",".join(map(str, crop))) == 0
    names = {row["patient_id"]: row["name"] for row in export.key_rows}
    whole, cut = (read_frame(export.folder / "images" / f"{names[patient]}.png").pixels for patient in "AB")
    assert whole.shape == (10, MARGIN_LEFT + 20)
    assert np.array_equal(cut, ultrasound[5:15, :20])
    assert {row["filename"]: row["pixel_spacing_mm"] for row in export.rows} == {
        f"{names['A']}.png": "",
        f"{names['B']}.png": "0.2",
    }


def test_between_two_regions_it_is_black(ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports) -> None:
    left, right = (region(0.2, 0.2, box) for box in ((20, 60, 119, 159), (300, 80, 399, 179)))
    file = write_image(tmp_path / "image.dcm", np.full_like(ultrasound, 100), regions=[left, right])
    assert export(file) == 0
    pixels = read_frame(export.folder / "images" / export.rows[0]["filename"]).pixels
    expected = np.zeros((120, 380))
    expected[:100, :100] = expected[20:, 280:] = 100
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("regions", ["square", "not square", "two", "none"])
def test_the_dicom_image_is_valid_and_keeps_the_scale(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports, regions: str
) -> None:
    pytest.importorskip("dicomanonymizer", reason="not installed: pip install fetal-monai[dicom]")
    stated: dict[str, list[pydicom.Dataset]] = {
        "square": [ultrasound_region(ultrasound)],
        "not square": [ultrasound_region(ultrasound, 0.2, 0.3)],
        "two": [region(0.2, 0.2, (20, 60, 119, 159)), region(0.4, 0.4, (300, 80, 399, 179))],
        "none": [],
    }
    elements: dict[str, Any] = {"PixelSpacing": [0.5, 0.6]} if regions == "none" else {}
    file = write_image(tmp_path / "image.dcm", ultrasound, regions=stated[regions], **elements)
    again = write_image(tmp_path / "again.dcm", ultrasound, StudyInstanceUID=pydicom.dcmread(file).StudyInstanceUID)
    assert export(file, again, "--format", "dicom", "--crop", "10,48,700,500") == 0
    names = {Path(row["file"]).name: f"{row['name']}.dcm" for row in export.key_rows}
    frame = read_frame(export.folder / "images" / names["image.dcm"])
    found = [
        (each.left, each.top, each.right, each.bottom, *each.pixel_spacing_mm) for each in frame.ultrasound_regions
    ]
    expected = {
        "square": [(0, 0, 690, 452, 0.2, 0.2)],
        "not square": [(0, 0, 690, 452, 0.2, 0.3)],
        "two": [(0, 0, 99, 99, 0.2, 0.2), (280, 20, 379, 119, 0.4, 0.4)],
        "none": [(0, 0, 690, 452, 0.5, 0.6)],
    }
    assert np.allclose(found, expected[regions])
    images = [pydicom.dcmread(export.folder / "images" / name) for name in names.values()]
    assert len({image.StudyInstanceUID for image in images}) == 1
    assert len({image.SOPInstanceUID for image in images}) == len({image.SeriesInstanceUID for image in images}) == 2
    assert images[0].PatientIdentityRemoved == "YES"
    if shutil.which("dciodvfy"):
        path = export.folder / "images" / names["image.dcm"]
        checked = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace")
        assert [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("Error")] == []


@pytest.mark.slow
def test_what_was_measured_trains(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports, image_format: str
) -> None:
    """With the masks of the measurement: of a loop the frame to report, and no frame without a head."""
    archive, results = tmp_path / "archive", tmp_path / "results"
    archive.mkdir()
    head = np.pad(ultrasound, 40)  # the ellipse has to be within the region
    shifted = np.stack([np.roll(head, shift, axis=1) for shift in range(3)])
    for patient, shift in (("A", 0), ("B", 7), ("C", -7)):
        write_image(archive / f"{patient}.dcm", np.roll(head, shift, axis=1), PatientID=patient)
    write_image(archive / "loop.dcm", shifted, PatientID="A", SOPClassUID=LOOP_CLASS, FrameTime=40.0)
    write_image(archive / "no_head.dcm", np.indices(head.shape).sum(axis=0).astype(np.uint8) // 2, PatientID="A")
    main(["measure", str(archive), "-o", str(results), "--save", "masks", "--quiet"])
    content = json.loads((results / "measurements.json").read_text())
    sizes = {(row["file"], row["frame"]): row.get("head_circumference_mm") for row in content["measurements"]}
    (loop,) = content["loops"]
    assert [row["file"] for row in content["measurements"] if row["status"] == "failed"] == ["no_head.dcm"]
    assert export(archive, "--results", results, "--format", image_format) == 0
    assert {(Path(row["file"]).name, row["frame"]) for row in export.key_rows} == {
        *(((f"{patient}.dcm", "0")) for patient in "ABC"),
        ("loop.dcm", str(loop["frame_to_report"])),
    }

    prepared = tmp_path / "prepared"
    folders = ["--images", export.folder / "images", "--masks", export.folder / "masks"]
    command = [*folders, "--table", export.folder / "frames.csv", "--output_dir", prepared]
    assert mask_folder.main(list(map(str, command))) == 0
    datalist = json.loads((prepared / "datalist.json").read_text())
    entries = [entry for section in ("training", "validation", "test") for entry in datalist[section]]
    assert len(entries) == 4
    for entry in entries:
        (key,) = [row for row in export.key_rows if row["name"] == Path(entry["image"]).stem]
        assert entry["exam"] == key["patient"]
        assert entry["pixel_spacing_mm"] == pytest.approx([0.2, 0.2])
        measured = sizes[Path(key["file"]).name, int(key["frame"])]
        assert entry["head_circumference_mm"] == pytest.approx(measured, rel=0.02)
    assert TEXT_LEVELS[0] > max(
        read_frame(path).pixels.max() for path in (export.folder / "images").iterdir()
    )  # nothing of the margin


def test_results_that_are_none(planted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["-o", str(tmp_path / "shared"), "--keys", str(tmp_path / "keys.csv")]
    assert main(["deidentify", str(planted), "--results", str(tmp_path), *out]) == 2
    assert "give the output folder of `fetal-monai measure`" in capsys.readouterr().err
    (tmp_path / "measurements.json").write_text("[]")
    assert main(["deidentify", str(planted), "--results", str(tmp_path), *out]) == 2
    assert "not the results of `fetal-monai measure`" in capsys.readouterr().err
    (tmp_path / "measurements.json").write_text(
        '{"measurements": [{"file": "a.dcm", "status": "failed"}], "loops": []}'
    )
    assert main(["deidentify", str(planted), "--results", str(tmp_path), *out]) == 2
    assert "is about other files" in capsys.readouterr().err


def test_a_key_table_that_is_none(planted: Path, export: Exports, capsys: pytest.CaptureFixture[str]) -> None:
    export.keys.parent.mkdir()
    export.keys.write_text("name,patient\n1,2\n")
    assert export(planted) == 2
    assert "lacks the columns" in capsys.readouterr().err
    assert export.keys.read_text() == "name,patient\n1,2\n"


def test_two_exports_do_not_share_a_key_table_at_once(
    planted: Path, export: Exports, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(KeyTable(export.keys)):
        assert export(planted) == 2
        assert "is used by another export" in capsys.readouterr().err
    assert export(planted) == 0


def test_a_folder_that_cannot_be_written_ends_the_command(
    planted: Path, export: Exports, capsys: pytest.CaptureFixture[str]
) -> None:
    export.folder.mkdir()
    (export.folder / "images").write_text("in the way")
    assert export(planted) == 2
    assert "What was exported is kept; the same command exports all." in capsys.readouterr().err
    (export.folder / "images").unlink()
    assert export(planted) == 0
    assert {row["name"] for row in export.key_rows} == {Path(row["filename"]).stem for row in export.rows}


def test_the_mask_of_another_frame_is_refused(
    ultrasound: NDArray[np.uint8], tmp_path: Path, export: Exports, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_image(tmp_path / "image.dcm", ultrasound)
    results = tmp_path / "results"
    (results / "masks").mkdir(parents=True)
    row = {"file": "image.dcm", "frame": 0, "status": "measured"}
    (results / "measurements.json").write_text(json.dumps({"measurements": [row], "loops": []}))
    write_dicom(results / "masks" / "image_mask.dcm", ultrasound)
    assert export(file, "--results", results) == 1
    assert "its mask has the shape (540, 800), the frame (588, 810)" in capsys.readouterr().err
    assert not (export.folder / "images").exists()
