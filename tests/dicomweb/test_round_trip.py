"""From a PACS and back: images in by C-STORE, measured by DICOMweb, reports stored and read again."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed: pip install fetal-monai[dicom]")

from fetal_monai.cli.main import main
from fetal_monai.dicomweb import UltrasoundStudy, http_url, open_client
from fetal_monai.files import read_csv_table
from tests.dicom_report.content_tree import number, path
from tests.dicomweb.between import Between
from tests.dicomweb.conftest import UIDS, Pacs
from tests.frame_files import write_dicom
from tests.orthanc import Orthanc, orthanc

pytestmark = [pytest.mark.slow, orthanc]


def rows(out: Path) -> list[dict[str, str]]:
    return read_csv_table(out / "measurements.csv")[1]


def reported(out: Path, name: str) -> dict[str, str]:
    """The row that is reported of an image."""
    file = f"{UIDS[name]}.dcm"
    loops = read_csv_table(out / "loops.csv")[1]
    frame = loops[0]["frame_to_report"] if name == "loop" else "0"
    (row,) = [row for row in rows(out) if (row["file"], row["frame"]) == (file, frame)]
    return row


def test_a_study_is_measured_as_its_files_and_its_reports_come_back(
    pacs: Pacs, temporary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = ["--report", "sr", "seg", "sc"]
    files, out = tmp_path / "files", tmp_path / "out"
    assert main(["measure", str(pacs.folder), "-o", str(files), *reports]) == 0
    assert main(["measure", pacs.address, "--study", UIDS["study"], "-o", str(out), *reports, "--store"]) == 0
    assert rows(out) == rows(files)
    assert not list(temporary.iterdir())
    assert "secret" not in "".join(capsys.readouterr()).lower()

    client = open_client(http_url(pacs.address))  # read back by WADO-RS
    stored = [dataset for dataset in client.iter_study(UIDS["study"]) if dataset.SOPInstanceUID not in UIDS.values()]
    written = {dataset.SOPInstanceUID: dataset for dataset in map(pydicom.dcmread, (out / "reports").iterdir())}
    assert len(stored) == len(written) == 12
    for dataset in stored:
        assert dataset == written[dataset.SOPInstanceUID]

    for name in ("still", "loop", "regions"):
        row = reported(out, name)
        (report,) = [
            dataset
            for dataset in stored
            if dataset.SOPInstanceUID == pydicom.dcmread(out / "reports" / f"{UIDS[name]}_obgyn.dcm").SOPInstanceUID
        ]
        sizes = [number(group.ContentSequence[0]) for group in path(report, "125002", "125005")]
        columns = ("head_circumference_mm", "biparietal_diameter_outer_to_outer_mm", "occipitofrontal_diameter_mm")
        assert sizes == [(row[column], "mm") for column in columns]
        if shutil.which("dsrdump"):
            report.save_as(tmp_path / "report.dcm")
            shown = subprocess.run(["dsrdump", str(tmp_path / "report.dcm")], capture_output=True, text=True)
            assert f'"Head Circumference")="{row["head_circumference_mm"]}" (mm,UCUM,"mm")' in shown.stdout
            assert not shown.stderr


def test_a_second_run_measures_the_images_only_and_adds_nothing(pacs: Pacs, tmp_path: Path) -> None:
    command = ["measure", pacs.address, "--study", UIDS["study"], "--report", "sr", "sc", "--store", "--quiet"]
    assert main([*command, "-o", str(tmp_path / "first")]) == 0
    first = pacs.server.instances()
    assert len(first) == 3 + 9
    assert main([*command, "-o", str(tmp_path / "second")]) == 0
    assert rows(tmp_path / "second") == rows(tmp_path / "first")
    assert sorted(pacs.server.instances()) == sorted(first)


def test_one_series_only(pacs: Pacs, tmp_path: Path) -> None:
    series = pydicom.dcmread(pacs.folder / f"{UIDS['still']}.dcm").SeriesInstanceUID
    command = ["measure", pacs.address, "--study", UIDS["study"], "--series", series, "--quiet"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert [row["file"] for row in rows(tmp_path / "out")] == [f"{UIDS['still']}.dcm"]


def test_the_reports_of_files_are_stored_where_one_says(pacs: Pacs, tmp_path: Path) -> None:
    file = pacs.folder / f"{UIDS['still']}.dcm"
    command = ["measure", str(file), "--report", "sr", "--store", pacs.address, "--quiet"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    titles = [pacs.server.read(each).ConceptNameCodeSequence[0].CodeMeaning for each in pacs.server.instances("SR")]
    assert sorted(titles) == ["Imaging Measurement Report", "OB-GYN Ultrasound Procedure Report"]


def test_a_run_continues_and_parts_are_the_whole(proxy: Between, tmp_path: Path) -> None:
    """Each retrieves only what it measures."""

    def retrieved() -> int:
        count = sum("/series/" in path for _, path, _ in proxy.requests)
        proxy.requests.clear()
        return count

    command = ["measure", proxy.address, "--study", UIDS["study"], "--quiet"]
    out = tmp_path / "out"
    assert main([*command, "-o", str(out), "--part", "1/2"]) == 0
    assert retrieved() == 2
    assert main([*command, "-o", str(out), "--part", "2/2"]) == 0
    assert retrieved() == 1
    assert main([*command, "-o", str(tmp_path / "whole")]) == 0
    parts = [row for part in (1, 2) for row in read_csv_table(out / f"measurements_part{part}of2.csv")[1]]
    assert sorted(parts, key=repr) == sorted(rows(tmp_path / "whole"), key=repr)
    whole = (tmp_path / "whole" / "measurements.csv").read_text()
    assert retrieved() == 3
    assert main([*command, "-o", str(tmp_path / "whole"), "--continue"]) == 0
    assert retrieved() == 1  # the last one may have been interrupted
    assert (tmp_path / "whole" / "measurements.csv").read_text() == whole


def test_compressed_images_are_retrieved_as_they_are(exam_files: Path, empty_pacs: Orthanc, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(exam_files / f"{UIDS['still']}.dcm")
    dataset.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)  # RLE lossless
    dataset.save_as(tmp_path / "image.dcm")
    empty_pacs.send(tmp_path / "image.dcm")
    study = UltrasoundStudy(open_client(f"{empty_pacs.url}/dicom-web"), UIDS["study"])
    (uid,) = study.instances
    study.retrieve(uid, tmp_path / "retrieved.dcm")
    assert pydicom.dcmread(tmp_path / "retrieved.dcm") == dataset
    assert pydicom.dcmread(tmp_path / "retrieved.dcm").file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"


def test_a_study_without_ultrasound_says_what_it_holds(
    exam_files: Path, empty_pacs: Orthanc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = pydicom.dcmread(exam_files / f"{UIDS['still']}.dcm").pixel_array
    ct_class = "1.2.840.10008.5.1.4.1.1.2"
    empty_pacs.send(write_dicom(tmp_path / "ct.dcm", pixels, StudyInstanceUID="1.2.3", SOPClassUID=ct_class))
    address = f"dicomweb+http://127.0.0.1:{empty_pacs.http_port}/dicom-web"
    assert main(["measure", address, "--study", "1.2.3", "-o", str(tmp_path / "out")]) == 2
    assert re.search(r"the study 1\.2\.3 holds no ultrasound image, but 1 CT Image Storage\.", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
