from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.dicom_report.conftest import LOOP_CLASS, SOURCES, head, write  # noqa: F401 - fixtures
from tests.dicomweb.between import Between, between
from tests.frame_files import region
from tests.orthanc import Orthanc, running_orthanc

UIDS = {
    name: f"1.2.826.0.1.3680043.10.999.{number}" for number, name in enumerate(("study", "still", "loop", "regions"))
}
PATIENT = {"PatientName": "SecretName^Jane", "PatientID": "SECRETID"}


@dataclass(frozen=True)
class Pacs:
    """A PACS that holds a study of three images.

    Attributes:
        folder: The images' files, named by their UIDs.
        server: The PACS.
    """

    folder: Path
    server: Orthanc

    @property
    def address(self) -> str:
        """The address of DICOMweb, for our commands."""
        return f"dicomweb+http://127.0.0.1:{self.server.http_port}/dicom-web"


@pytest.fixture(scope="session")
def exam_files(
    head: NDArray[np.uint8],  # noqa: F811
    write: Callable[..., Path],  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A still, a loop and an image with two regions, of one study."""
    folder, (height, width) = tmp_path_factory.mktemp("exam"), head.shape
    boxes = [(0, 0, width - 1, height - 1), (0, height - 9, 8, height - 1)]
    regions = [region(mm, mm, box) for mm, box in zip((0.2, 0.5), boxes, strict=True)]
    loop = np.stack([np.roll(head, shift, axis=1) for shift in range(3)])
    uids = {name: {"StudyInstanceUID": UIDS["study"], "SOPInstanceUID": UIDS[name], **PATIENT} for name in UIDS}
    write(folder / f"{UIDS['still']}.dcm", **uids["still"])
    write(folder / f"{UIDS['loop']}.dcm", loop, SOPClassUID=LOOP_CLASS, FrameTime=40.0, **uids["loop"])
    write(folder / f"{UIDS['regions']}.dcm", regions=regions, **uids["regions"])
    return folder


@pytest.fixture
def empty_pacs(tmp_path: Path) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path / "orthanc") as server:
        yield server


@pytest.fixture
def pacs(exam_files: Path, empty_pacs: Orthanc) -> Pacs:
    """The images come as a scanner sends them, by C-STORE."""
    if shutil.which("storescu") is None:
        pytest.skip("storescu is not installed (Debian's package dcmtk)")
    files = sorted(str(file) for file in exam_files.iterdir())
    subprocess.run(["storescu", "127.0.0.1", str(empty_pacs.dicom_port), *files], check=True)
    return Pacs(exam_files, empty_pacs)


@pytest.fixture
def proxy(pacs: Pacs) -> Iterator[Between]:
    with between(pacs.server.url) as server:
        yield server


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
