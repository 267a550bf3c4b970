"""Which reports are written, and what of the patient's data is passed on."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.biometry.quality import MeasurementQuality
from fetal_monai.cli.main import main
from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.dicom_report import NoReportError, build_reports
from fetal_monai.dicom_report.algorithm import Algorithm
from fetal_monai.dicom_report.reported_frame import ReportedFrame
from fetal_monai.dicom_report.source import read_source, source_of
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files import read_csv_table
from fetal_monai.measurement import HeadResult
from tests.dicom_report.conftest import KINDS, SOURCES, Exam
from tests.dicom_report.content_tree import items
from tests.frame_files import write_picture

WHEN = {
    *("InstanceCreationDate", "InstanceCreationTime", "ContentDate", "ContentTime", "ContributionDateTime"),
    *("DateOfSecondaryCapture", "TimeOfSecondaryCapture"),
}
ALGORITHM = Algorithm("bisenet", "0" * 64, "torch fp32")
SHAPE = (200, 300)
CENTRED = Ellipse(150, 100, 80, 60, 0.3)


def reported(
    source: Path | pydicom.Dataset, head: HeadMeasurement | FailedEstimate, scale: FrameScale | None = None
) -> ReportedFrame:
    """A frame whose measurement is given."""
    scale = scale or FrameScale((0.2, 0.2), source="header")
    image = read_source(source, 0) if isinstance(source, Path) else source_of(source, 0)
    return ReportedFrame(image, np.zeros(SHAPE, np.float32), HeadResult(head, SHAPE, scale), ALGORITHM)


@pytest.fixture
def source(write: Callable[..., Path], tmp_path: Path) -> Path:
    return write(tmp_path / "source.dcm", np.full(SHAPE, 7, np.uint8))


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (FailedEstimate("no head found"), "failed: no head found"),
        (HeadMeasurement(CENTRED), "unscaled: pixel spacing unknown"),
        (HeadMeasurement(CENTRED, (0.2, 0.2), quality=MeasurementQuality(0.9, 1.0, 1.0)), "check: check by eye"),
    ],
)
def test_only_what_is_measured_without_doubt_is_reported(
    source: Path, measured: HeadMeasurement | FailedEstimate, reason: str
) -> None:
    with pytest.raises(NoReportError, match=f"^{reason}"):
        reported(source, measured)


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_a_source_without_identity_has_no_report(source: Path, keyword: str) -> None:
    dataset = pydicom.dcmread(source)
    delattr(dataset, keyword)
    with pytest.raises(NoReportError, match=f"lacks {keyword}"):
        source_of(dataset, 0)


@pytest.mark.parametrize(("frames", "index", "numbers"), [(None, 0, None), (1, 0, [1]), (9, 4, [5])])
def test_frames_are_numbered_from_one_where_the_image_numbers_them(
    source: Path, frames: int | None, index: int, numbers: list[int] | None
) -> None:
    dataset = pydicom.dcmread(source)
    if frames is not None:
        dataset.NumberOfFrames = frames
    assert source_of(dataset, index).frame_numbers == numbers


def test_an_ellipse_that_leaves_the_frame_is_reported_by_its_visible_outline(source: Path) -> None:
    head = HeadMeasurement(Ellipse(150, 55, 80, 60, 0.0), (0.2, 0.2))
    report = build_reports(reported(source, head), ["sr"])["tid1500"]
    (graphic,) = [item for item in items(report) if item.ValueType == "SCOORD"]
    points = np.reshape(graphic.GraphicData, (-1, 2))
    assert graphic.GraphicType == "POLYLINE"
    assert (points >= 0).all() and (points <= [SHAPE[1], SHAPE[0]]).all()
    assert np.array_equal(points[0], points[-1])
    assert points[:, 1].max() == pytest.approx(115.5, abs=0.1)


def test_text_in_any_character_set_stays_the_same(source: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(source)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = "Müller^Änne"
    dataset.save_as(source)
    report = build_reports(reported(source, HeadMeasurement(CENTRED, (0.2, 0.2))), ["sr"])["obgyn"]
    report.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    assert pydicom.dcmread(tmp_path / "report.dcm").PatientName == "Müller^Änne"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientSex", "W"), ("PatientBirthDate", "unknown"), ("StudyTime", "25h"), ("StudyID", None)],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_what_the_standard_does_not_allow_is_left_empty(source: Path, keyword: str, value: str | None) -> None:
    dataset = pydicom.dcmread(source)
    setattr(dataset, keyword, value)
    report = build_reports(reported(dataset, HeadMeasurement(CENTRED, (0.2, 0.2))), ["sr"])["obgyn"]
    assert not report[keyword].value


def test_the_instance_depends_on_what_was_given(source: Path) -> None:
    """Two reports with different numbers are never one instance."""
    head = HeadMeasurement(CENTRED, (0.2, 0.2))
    scales = [
        FrameScale((0.2, 0.2), source="header"),
        FrameScale((0.2, 0.2), source="option"),
        FrameScale((0.3, 0.3), source="header"),
        FrameScale((0.2, 0.2), source="header", gestational_age_days=150.0),
    ]
    reports = [build_reports(reported(source, head, scale), ["sr"])["obgyn"] for scale in scales]
    assert len({report.SOPInstanceUID for report in reports}) == len(scales)
    assert len({report.SeriesInstanceUID for report in reports}) == 1


@pytest.mark.slow
def test_a_second_run_writes_the_same(exam: Exam, tmp_path: Path) -> None:
    command = ["measure", str(exam.folder / "*.dcm"), "-o", str(tmp_path), "--table", str(exam.folder / "ages.csv")]
    assert main([*command, "--quiet", "--report", "sc", "seg", "sr", "--batch-size", "1"]) == 0
    again = Exam(exam.folder, tmp_path)
    for name in SOURCES:
        for kind in KINDS:
            first, second = exam.report(name, kind), again.report(name, kind)
            for dataset in (first, second):
                dataset.walk(lambda parent, element: parent.pop(element.tag) if element.keyword in WHEN else None)
            assert first == second


@pytest.mark.slow
def test_the_end_of_the_output_says_why_there_is_no_report(
    head: NDArray[np.uint8],
    write: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    """And nothing that is printed or named tells who the patient is."""
    caplog.set_level(logging.DEBUG)
    folder, out = tmp_path / "exam", tmp_path / "out"
    folder.mkdir()
    patient = {"PatientName": "SecretName", "PatientID": "SECRETID", "AccessionNumber": "SECRETACCESSION" * 3}
    write(folder / "good.dcm", **patient)
    write(folder / "unscaled.dcm", regions=[], **patient)
    write(folder / "nostudy.dcm", StudyInstanceUID="", **patient)
    blank = np.stack([head, head])
    blank[:, :, head.shape[1] // 3 :] = 0
    write(folder / "loop.dcm", blank, FrameTime=40.0, **patient)
    write_picture(folder / "picture.png", head)
    recwarn.clear()  # those of writing the files
    assert main(["measure", str(folder), "-o", str(out), "--report", "sr", "seg", "sc"]) in (0, 1)  # loop may fail
    printed = capsys.readouterr()
    reasons = dict(line.split(": ", 2)[1:] for line in printed.err.splitlines() if line.startswith("no report: "))
    assert set(reasons) == {"unscaled.dcm", "nostudy.dcm", "loop.dcm", "picture.png"}
    assert reasons["picture.png"].startswith("not a DICOM file")
    assert reasons["unscaled.dcm"].startswith("unscaled: pixel spacing unknown")
    assert reasons["nostudy.dcm"].startswith("the DICOM file lacks StudyInstanceUID")
    assert reasons["loop.dcm"] == "no frame of the loop is measured without doubt."
    written = sorted(path.name for path in (out / "reports").iterdir())
    assert written == sorted(f"good_{kind}.dcm" for kind in KINDS)
    said = [printed.out, printed.err, caplog.text, *written, *(str(warning.message) for warning in recwarn)]
    assert "secret" not in " ".join(said).lower()


@pytest.mark.slow
def test_a_report_that_cannot_be_written_fails_and_the_measurement_stays(
    exam: Exam, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(exam.folder / "still.dcm", tmp_path / "still.dcm")
    out = tmp_path / "out"
    out.mkdir()
    (out / "reports").write_text("in the way")
    assert main(["measure", str(tmp_path / "still.dcm"), "-o", str(out), "--report", "sr"]) == 1
    assert "report failed: still.dcm: " in capsys.readouterr().err
    (row,) = read_csv_table(out / "measurements.csv")[1]
    assert row["status"] == "measured"


def test_without_the_extra_it_says_what_to_install(
    exam: Exam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("fetal_monai.dicom_report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    out = tmp_path / "out"
    assert main(["measure", str(exam.folder / "still.dcm"), "-o", str(out), "--report", "sr"]) == 2
    assert "pip install 'fetal-monai[dicom]'" in capsys.readouterr().err
    assert not out.exists()
