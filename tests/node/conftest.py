from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fetal_monai.data import read_frame
from fetal_monai.phantom import write_phantoms
from tests.frame_files import region, write_dicom

SPACING_MM = 0.4
PATIENT: dict[str, Any] = {
    "PatientName": "SecretName^SecretFirst",
    "PatientID": "SECRETID",
    "AccessionNumber": "SECRETNUMBER",
    "StudyDescription": "SecretStudy",
}


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint8]:
    """A small simulated frame."""
    folder = tmp_path_factory.mktemp("phantom")
    write_phantoms(folder, count=1, seed=4)
    return read_frame(next((folder / "training_set").glob("*_HC.png"))).pixels.astype(np.uint8)[::2, ::2]


@pytest.fixture(scope="session")
def write(head: NDArray[np.uint8]) -> Callable[..., Path]:
    """Writes the frame as an image of a patient."""
    height, width = head.shape
    whole = region(SPACING_MM, SPACING_MM, (0, 0, width - 1, height - 1))

    def write(path: Path, pixels: NDArray[np.uint8] = head, **elements: Any) -> Path:
        stated: dict[str, Any] = {"regions": [whole]} | PATIENT | elements
        return write_dicom(path, pixels, **stated)

    return write


@pytest.fixture
def images(write: Callable[..., Path], tmp_path: Path) -> Callable[..., list[Path]]:
    """Writes some images, each another instance."""
    folder = tmp_path / "images"

    def images(count: int, **elements: Any) -> list[Path]:
        folder.mkdir(exist_ok=True)
        there = len(list(folder.iterdir()))
        return [write(folder / f"{there + number:04}.dcm", **elements) for number in range(count)]

    return images
