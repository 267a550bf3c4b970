from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from fetal_monai.cli.main import main
from fetal_monai.data import read_frame
from fetal_monai.files import read_csv_table
from fetal_monai.phantom import write_phantoms
from tests.frame_files import region, write_dicom

STUDY: dict[str, Any] = {
    "AccessionNumber": "ACC7",
    "StudyID": "S1",
    "StudyDate": "20261121",
    "StudyTime": "101500",
    "PatientBirthDate": "19900102",
    "PatientSex": "F",
    "ReferringPhysicianName": "Roe^Richard",
    "InstanceNumber": 5,
}
LOOP_CLASS = "1.2.840.10008.5.1.4.1.1.3.1"
SOURCES = ("still", "loop", "regions")
KINDS = ("obgyn", "tid1500", "seg", "sc")
AGE_DAYS = 224


class Exam:
    """Three DICOM files and what one run made of them."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        self.weights_sha256 = json.loads((out / "measurements.json").read_text())["weights_sha256"]
        self.frame_to_report = int(read_csv_table(out / "loops.csv")[1][0]["frame_to_report"])  # of the loop, from 0

    def source(self, name: str) -> pydicom.Dataset:
        return pydicom.dcmread(self.folder / f"{name}.dcm")

    def report(self, name: str, kind: str) -> pydicom.Dataset:
        return pydicom.dcmread(self.out / "reports" / f"{name}_{kind}.dcm")

    def row(self, name: str) -> dict[str, str]:
        """The row of the frame that is reported."""
        rows = read_csv_table(self.out / "measurements.csv")[1]
        frame = self.frame_to_report if name == "loop" else 0
        (row,) = [row for row in rows if (row["file"], row["frame"]) == (f"{name}.dcm", str(frame))]
        return row


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint8]:
    """A simulated frame."""
    folder = tmp_path_factory.mktemp("phantom")
    write_phantoms(folder, count=1, seed=4)
    return read_frame(next((folder / "training_set").glob("*_HC.png"))).pixels.astype(np.uint8)


@pytest.fixture(scope="session")
def write(head: NDArray[np.uint8]) -> Callable[..., Path]:
    """Writes the frame as a DICOM file of its study."""
    height, width = head.shape
    whole = region(0.2, 0.2, (0, 0, width - 1, height - 1))

    def write(path: Path, pixels: NDArray[np.uint8] = head, **elements: Any) -> Path:
        stated: dict[str, Any] = {"regions": [whole]} | STUDY | elements
        return write_dicom(path, pixels, **stated)

    return write


@pytest.fixture(scope="session")
def exam(head: NDArray[np.uint8], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Exam:
    folder, (height, width) = tmp_path_factory.mktemp("exam"), head.shape
    write(folder / "still.dcm")
    loop = np.stack([np.roll(head, shift, axis=1) for shift in range(3)])
    write(folder / "loop.dcm", loop, SOPClassUID=LOOP_CLASS, FrameTime=40.0)
    boxes = [(0, 0, width - 1, height - 1), (0, height - 9, 8, height - 1)]
    write(folder / "regions.dcm", regions=[region(mm, mm, box) for mm, box in zip((0.2, 0.5), boxes, strict=True)])
    table = folder / "ages.csv"
    table.write_text("filename,gestational_age_days\n" + "".join(f"{name}.dcm,{AGE_DAYS}\n" for name in SOURCES))
    out = tmp_path_factory.mktemp("measured") / "out"
    command = ["measure", str(folder / "*.dcm"), "-o", str(out), "--table", str(table), "--quiet"]
    assert main([*command, "--report", "sr", "seg", "sc"]) == 0
    return Exam(folder, out)
