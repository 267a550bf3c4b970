"""A PACS takes the reports and gives them back: Orthanc, filled by dcmtk's storescu, read by WADO-RS."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed: pip install fetal-monai[dicom]")

from dicomweb_client import DICOMwebClient

from tests.dicom_report.conftest import KINDS, SOURCES, Exam
from tests.orthanc import Orthanc, orthanc, running_orthanc

pytestmark = [pytest.mark.slow, orthanc]


@pytest.fixture(scope="module")
def pacs(exam: Exam, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """It has the images and all their reports."""
    if shutil.which("storescu") is None:
        pytest.skip("storescu is not installed (Debian's package dcmtk)")
    files = [*exam.folder.glob("*.dcm"), *(exam.out / "reports").iterdir()]
    with running_orthanc(tmp_path_factory.mktemp("pacs") / "orthanc") as server:
        subprocess.run(["storescu", "--required", "127.0.0.1", str(server.dicom_port), *map(str, files)], check=True)
        yield server


def test_it_sorts_each_report_into_the_study_of_its_image(pacs: Orthanc, exam: Exam) -> None:
    client = DICOMwebClient(f"{pacs.url}/dicom-web")
    for name in SOURCES:
        study = exam.source(name).StudyInstanceUID
        found = client.search_for_instances(study)
        assert len(found) == 1 + len(KINDS)
    assert len(client.search_for_studies()) == len(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_comes_back_as_it_was_written(pacs: Orthanc, exam: Exam, name: str, kind: str) -> None:
    written = exam.report(name, kind)
    uids = (written.StudyInstanceUID, written.SeriesInstanceUID, written.SOPInstanceUID)
    assert DICOMwebClient(f"{pacs.url}/dicom-web").retrieve_instance(*uids) == written


def test_it_can_show_the_overlay(pacs: Orthanc, exam: Exam) -> None:
    """Orthanc decodes it for its own pages."""
    uid = exam.report("still", "sc").SOPInstanceUID
    (overlay,) = [each for each in pacs.instances() if pacs.read(each).SOPInstanceUID == uid]
    assert pacs.get(f"/instances/{overlay}/preview").startswith(b"\x89PNG")
