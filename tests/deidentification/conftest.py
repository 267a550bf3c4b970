"""Images with a patient's data wherever DICOM has room for them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_VR
from pydicom.datadict import keyword_for_tag as keyword_of

from fetal_monai.data import read_frame
from fetal_monai.phantom import write_phantoms
from tests.frame_files import region, write_dicom

SECRET = "ZQ9KX"
MARGIN_TOP, MARGIN_LEFT = 48, 10
TEXT_LEVELS = (251, 253)
"""Gray levels of what stands beside the ultrasound, which has none above 200."""

_DOUBLE, _INTEGER = 4711.471147, 1_195_728_211
_VALUES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT", "UR"), SECRET),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), SECRET.encode() * 8),
    **dict.fromkeys(("FD", "FL"), _DOUBLE),
    **dict.fromkeys(("SL", "UL", "SV", "UV"), _INTEGER),
    "PN": f"{SECRET}^Jane",
    "AS": "047Y",
    "DA": "19471123",
    "TM": "115813",
    "DT": "19471123115813",
    "DS": "4711.4711",
    "IS": "47114711",
    "UI": "1.2.826.0.47114711.1",
}
TRACES = (
    *(text.encode() for text in (SECRET, "47114711", "4711.4711", "19471123", "115813", "047Y")),
    *(struct.pack("<d", _DOUBLE), struct.pack("<f", _DOUBLE), struct.pack("<I", _INTEGER)),
)
"""The bytes that would give the patient away."""
_IMAGE_GROUPS = (0x0000, 0x0002, 0x0004, 0x0028, 0x7FE0)  # what makes the file readable
_NEEDED = ("SpecificCharacterSet", "SOPClassUID", "SequenceOfUltrasoundRegions")


def plant(dataset: pydicom.Dataset) -> None:
    """Write the patient's data into every attribute of the standard, into items two deep, and into private ones."""
    nested, nesting = pydicom.Dataset(), pydicom.Dataset()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "ReferencedSOPInstanceUID", "TextValue"):
        setattr(nested, keyword, _VALUES[dictionary_VR(keyword)])
    nested.private_block(0x0009, SECRET, create=True).add_new(1, "LO", SECRET)
    nesting.update(nested)
    nesting.ReferencedImageSequence = [nested]
    for tag, (vr, *_) in DicomDictionary.items():
        keyword = keyword_of(tag)
        if keyword and tag >> 16 not in _IMAGE_GROUPS and tag & 0xFFFF and keyword not in _NEEDED:
            if vr in _VALUES:
                dataset.add_new(tag, vr, _VALUES[vr])
            elif vr == "SQ":
                dataset.add_new(tag, vr, [nesting])
    block = dataset.private_block(0x0009, SECRET, create=True)
    block.add_new(1, "LO", SECRET)
    block.add_new(2, "OB", SECRET.encode() * 8)


def beside_text(ultrasound: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ultrasound with a margin of what could be text, above and on the left."""
    rows, columns = np.mgrid[: ultrasound.shape[-2] + MARGIN_TOP, : ultrasound.shape[-1] + MARGIN_LEFT]
    frame = np.where((rows + columns) % 2, *TEXT_LEVELS).astype(np.uint8)
    frame = np.broadcast_to(frame, (*ultrasound.shape[:-2], *frame.shape)).copy()
    frame[..., MARGIN_TOP:, MARGIN_LEFT:] = ultrasound
    return frame


def ultrasound_region(ultrasound: NDArray[np.uint8], row_mm: float = 0.2, column_mm: float = 0.2) -> pydicom.Dataset:
    """The region of the ultrasound in `beside_text`, with the patient's data in it too."""
    height, width = ultrasound.shape[-2:]
    box = (MARGIN_LEFT, MARGIN_TOP, MARGIN_LEFT + width - 1, MARGIN_TOP + height - 1)
    item = region(row_mm, column_mm, box)
    item.private_block(0x0011, SECRET, create=True).add_new(1, "LO", SECRET)
    return item


@pytest.fixture(scope="session")
def ultrasound(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint8]:
    """A simulated frame without bright pixels."""
    folder = tmp_path_factory.mktemp("phantom")
    write_phantoms(folder, count=1, seed=4)
    pixels = read_frame(next((folder / "training_set").glob("*_HC.png"))).pixels
    return np.minimum(pixels, 200).astype(np.uint8)


def write_image(path: Path, ultrasound: NDArray[np.uint8], **elements: Any) -> Path:
    """An ultrasound image beside text; the elements are those of `write_dicom`."""
    stated = {"regions": [ultrasound_region(ultrasound)]} | elements
    return write_dicom(path, beside_text(ultrasound), **stated)


def contents(folder: Path) -> dict[str, bytes]:
    """The names and the bytes of all files in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
