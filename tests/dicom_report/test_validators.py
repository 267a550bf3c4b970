"""What other programs say of the reports: Debian's dicom3tools and dcmtk, and highdicom's readers."""

from __future__ import annotations

import shutil
import subprocess

import pytest

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from highdicom.seg import segread
from highdicom.sr import srread

from fetal_monai.dicom_report.codes import HEAD_CIRCUMFERENCE
from tests.dicom_report.conftest import KINDS, SOURCES, Exam

pytestmark = pytest.mark.slow

OBJECTS = {"obgyn": "ComprehensiveSR", "tid1500": "ComprehensiveSR", "seg": "Segmentation", "sc": "SCImage"}


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which(tool) is None:
        package = {"dciodvfy": "dicom3tools"}.get(tool, "dcmtk")
        pytest.skip(f"{tool} is not installed (Debian's package {package})")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, errors="replace")


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error(exam: Exam, name: str, kind: str) -> None:
    """Nothing is left out here; it only warns of our private coding scheme, and of the laterality of a head."""
    result = run("dciodvfy", str(exam.out / "reports" / f"{name}_{kind}.dcm"))
    lines = (result.stdout + result.stderr).splitlines()
    unexpected = [line for line in lines if "<99FETALMONAI>" not in line and "<Laterality>" not in line]
    assert unexpected == [OBJECTS[kind]]  # what it takes the file for
    assert not [line for line in lines if line.startswith("Error")]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["obgyn", "tid1500"])
def test_dsrdump_reads_the_same_numbers(exam: Exam, name: str, kind: str) -> None:
    result = run("dsrdump", str(exam.out / "reports" / f"{name}_{kind}.dcm"))
    assert (result.returncode, result.stderr) == (0, "")
    row = exam.row(name)
    assert f'"Head Circumference")="{row["head_circumference_mm"]}" (mm,UCUM,"mm")' in result.stdout
    assert f'"Gestational Age")="{row["gestational_age_intergrowth_days"]}" (d,UCUM,"day")' in result.stdout


@pytest.mark.parametrize("name", SOURCES)
def test_highdicom_reads_what_it_wrote(exam: Exam, name: str) -> None:
    reports, source = exam.out / "reports", exam.source(name)
    (group,) = srread(reports / f"{name}_tid1500.dcm").content.get_planar_roi_measurement_groups()
    (size,) = group.get_measurements(name=HEAD_CIRCUMFERENCE)
    assert f"{size.value:.6g}" == exam.row(name)["head_circumference_mm"]
    segmentation = segread(reports / f"{name}_seg.dcm")
    assert segmentation.get_source_image_uids() == [
        (source.StudyInstanceUID, source.SeriesInstanceUID, source.SOPInstanceUID)
    ]
