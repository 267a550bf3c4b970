"""The report of one frame, as a document and as DICOM."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from PIL import Image

from fetal_monai.measurement import HeadMeasurer
from tests.frame_files import region, write_dicom
from tests.page.browser_page import wait_until_measured
from tests.page.conftest import PIXEL_MM
from tests.page.served import Served, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def served(frames: Path, load: Callable[[], HeadMeasurer]) -> Iterator[Served]:
    pixels = np.asarray(Image.open(frames / "000_HC.png"))
    whole = region(0.2, 0.2, (0, 0, pixels.shape[1] - 1, pixels.shape[0] - 1))
    write_dicom(frames / "000_still.dcm", pixels, [whole])
    with serve(frames, load, pixel_spacing_mm=PIXEL_MM) as running:
        yield running


def address(served: Served, name: str, kind: str) -> str:
    return f"/api/files/{served.files()[name]}/frames/0/report/{kind}"


def test_documents(served: Served) -> None:
    picture = served.request("GET", address(served, "000_HC.png", "png"))
    assert picture.headers["content-type"] == "image/png"
    page = np.asarray(Image.open(io.BytesIO(picture.body)).convert("RGB")).astype(int)
    assert page.shape[0] > page.shape[1] > 1000
    # The ellipse is on its upper half, the point of the chart on its lower half.
    ellipse = np.abs(page - [0xE0, 0xA8, 0x00]).sum(axis=2) < 30
    assert ellipse[: page.shape[0] // 2].sum() > 1000
    assert ellipse[page.shape[0] // 2 :].sum() > 50
    document = served.request("GET", address(served, "000_HC.png", "pdf"))
    assert document.body.startswith(b"%PDF-")
    assert served.request("GET", address(served, "000_HC.png", "exe")).status == 422


def test_structured_reports_of_what_software_measured(served: Served) -> None:
    pytest.importorskip("highdicom")
    answer = served.request("GET", address(served, "000_still.dcm", "sr"))
    assert answer.status == 200, answer.body
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert sorted(archive.namelist()) == ["obgyn.dcm", "tid1500.dcm"]
        report = pydicom.dcmread(io.BytesIO(archive.read("obgyn.dcm")))
    assert report.PatientName == "Doe^Jane"
    path = f"/api/files/{served.files()['000_still.dcm']}/frames/0"
    measured = served.request("GET", f"{path}/model").json
    values = [float(element.value) for element in report.iterall() if element.keyword == "NumericValue"]
    assert any(value == pytest.approx(measured["row"]["head_circumference_mm"], abs=0.06) for value in values)
    no_dicom = served.request("GET", address(served, "000_HC.png", "sr"))
    assert no_dicom.status == 422
    assert "not a DICOM file" in no_dicom.json["detail"]

    # Accepted as it is, it is still that; corrected, it is not.
    annotation = {"ellipse": measured["ellipse"], "decision": "accepted"}
    served.request("PUT", f"{path}/annotation", {"annotation": annotation, "revision": 0})
    assert served.request("GET", address(served, "000_still.dcm", "sr")).status == 200
    annotation["ellipse"] = measured["ellipse"] | {"center_x": measured["ellipse"]["center_x"] + 1}
    served.request("PUT", f"{path}/annotation", {"annotation": annotation, "revision": 1})
    corrected = served.request("GET", address(served, "000_still.dcm", "sr"))
    assert corrected.status == 422
    assert "drawn by hand" in corrected.json["detail"]


@pytest.mark.slow
def test_a_report_is_downloaded(served: Served, page: Page) -> None:
    page.goto(served.address)
    wait_until_measured(page)
    page.keyboard.press("e")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert download.value.suggested_filename == "000_HC_report.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF-")
