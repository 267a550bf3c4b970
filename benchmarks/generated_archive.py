"""An archive of simulated frames, as PNG and DICOM, one in a hundred of them broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from fetal_monai.data import read_frame
from fetal_monai.phantom import write_phantoms

_FILES_PER_FOLDER = 1000
_HEADS = 10
_ONE_BROKEN_IN = 100


def write_archive(folder: Path, count: int) -> None:
    """Write a number of files, the same ones in each call: half as PNG, half as DICOM with a pixel spacing.

    Args:
        folder: A new folder; the files are in subfolders of a thousand.
        count: Number of files.
    """
    with TemporaryDirectory() as temporary:
        write_phantoms(temporary, count=1, test_count=_HEADS)
        heads = [read_frame(file).pixels.astype(np.uint8) for file in sorted(Path(temporary, "test_set").glob("*.png"))]
    for number in range(count):
        file = folder / f"{number // _FILES_PER_FOLDER:04d}" / f"{number:07d}.{'dcm' if number % 2 else 'png'}"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.roll(heads[number % _HEADS], number // _HEADS, axis=1)
        (_write_dicom if number % 2 else _write_png)(file, pixels)
        if number % _ONE_BROKEN_IN == number // _ONE_BROKEN_IN % 2:  # PNG and DICOM in turn
            _WAYS_TO_BREAK[number // _ONE_BROKEN_IN % len(_WAYS_TO_BREAK)](file)


def _write_png(file: Path, pixels: NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(file, compress_level=1)


def _write_dicom(file: Path, pixels: NDArray[np.uint8]) -> None:
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UltrasoundImageStorage
    uid = generate_uid(entropy_srcs=[file.name])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = uid
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[file.parent.name])
    dataset.Modality, dataset.PixelSpacing = "US", [0.15, 0.15]
    dataset.set_pixel_data(pixels, "MONOCHROME2", 8, generate_instance_uid=False)
    dataset.save_as(file, enforce_file_format=True)


def _keep(share: float) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


def _blank(file: Path) -> None:
    Image.new("L", (800, 540), 7).save(file, format="PNG")


def _zeros_within(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100:400] = bytes(300)
    file.write_bytes(content)


_WAYS_TO_BREAK: tuple[Callable[[Path], object], ...] = (
    _keep(0.0),
    _keep(0.01),
    _keep(0.5),
    _keep(0.99),
    _blank,
    _zeros_within,
    lambda file: file.write_bytes(b"not a picture"),
    lambda file: file.write_bytes(bytes(5000)),
    lambda file: file.write_bytes(file.read_bytes()[::-1]),
    lambda file: file.write_text("<html>404 Not Found</html>"),
)
