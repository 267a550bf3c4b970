"""Frames on disk for the tests: one asymmetric picture in every format, with a spacing of its own in each direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import itk
import nibabel as nib
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

HEIGHT, WIDTH = 48, 64
ROW_MM, COLUMN_MM = 0.3, 0.2


def asymmetric_picture(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Brighter to the right and, less so, downwards, with one white corner: no flip or transpose leaves it as it is."""
    rows, columns = np.mgrid[:height, :width]
    picture = (rows + 2 * columns).astype(np.uint8)
    picture[: height // 4, : width // 4] = 255
    return picture


def numbered_picture(number: int) -> NDArray[np.uint8]:
    """An asymmetric picture that differs from that of every other number from 0 to 255."""
    picture = asymmetric_picture()
    picture[20, :8] = number
    return picture


def write_picture(path: Path, pixels: NDArray[Any]) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def write_metaimage(path: Path, pixels: NDArray[Any], spacing: tuple[float, float] = (ROW_MM, COLUMN_MM)) -> Path:
    image = itk.image_from_array(np.ascontiguousarray(pixels))
    image.SetSpacing([spacing[1], spacing[0], *[1.0] * (pixels.ndim - 2)])
    image.SetOrigin([-4.0, 2.5, *[0.0] * (pixels.ndim - 2)])
    itk.imwrite(image, str(path))
    return path


def write_nifti(
    path: Path,
    pixels: NDArray[Any],
    spacing: tuple[float, float] = (ROW_MM, COLUMN_MM),
    unit: str = "mm",
) -> Path:
    """The picture (row, column) as NIfTI's (i, j) = (column, row), in a sagittal plane that is flipped and shifted."""
    affine = np.array([[0.0, 0, 1, 5], [-spacing[1], 0, 0, 6], [0, -spacing[0], 0, 7], [0, 0, 0, 1]])
    image = nib.Nifti1Image(pixels.T, affine)
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return path


def write_labelled(path: Path, corner: int = 255, **entries: str) -> Path:
    """As ITK writes an image with entries in its dictionary of meta data; `corner` tells pictures apart."""
    pixels = asymmetric_picture()
    pixels[0, 0] = corner
    image = itk.image_from_array(pixels)
    for key, value in entries.items():
        image.GetMetaDataDictionary()[key] = value
    itk.imwrite(image, str(path))
    return path


def region(
    row_mm: float,
    column_mm: float,
    box: tuple[int, int, int, int] = (0, 0, WIDTH - 1, HEIGHT - 1),
    **elements: Any,
) -> pydicom.Dataset:
    """A calibrated 2-D tissue region; box is x0, y0, x1, y1."""
    dataset = pydicom.Dataset()
    dataset.RegionSpatialFormat = 1
    dataset.RegionDataType = 1
    dataset.RegionFlags = 0
    for name, value in zip(("MinX0", "MinY0", "MaxX1", "MaxY1"), box, strict=True):
        setattr(dataset, f"RegionLocation{name}", value)
    dataset.PhysicalUnitsXDirection = 3
    dataset.PhysicalUnitsYDirection = 3
    dataset.PhysicalDeltaX = column_mm / 10
    dataset.PhysicalDeltaY = row_mm / 10
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def write_dicom(
    path: Path,
    pixels: NDArray[Any],
    regions: Iterable[pydicom.Dataset] | None = None,
    photometric_interpretation: str = "MONOCHROME2",
    bits_stored: int | None = None,
    **elements: Any,
) -> Path:
    """An ultrasound image as a scanner exports it; by default one region that covers it."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UltrasoundImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OBSTETRICAL", "0001"]
    dataset.Modality, dataset.PatientName, dataset.PatientID = "US", "Doe^Jane", "4711"
    regions = [region(ROW_MM, COLUMN_MM)] if regions is None else list(regions)
    if regions:
        dataset.SequenceOfUltrasoundRegions = regions
    dataset.set_pixel_data(
        pixels, photometric_interpretation, bits_stored or 8 * pixels.dtype.itemsize, generate_instance_uid=False
    )
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    """Truncate a file, as an interrupted copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


# A frame in each format that keeps grey levels as they are: how to write it, and the spacing that can be read back.
LOSSLESS_FORMATS: dict[str, tuple[Callable[[Path, NDArray[Any]], Path], tuple[float, float] | None]] = {
    "frame.png": (write_picture, None),
    "frame.bmp": (write_picture, None),
    "frame.tif": (write_picture, None),
    "frame.TIFF": (write_picture, None),
    "frame.mha": (write_metaimage, (ROW_MM, COLUMN_MM)),
    "frame.mhd": (write_metaimage, (ROW_MM, COLUMN_MM)),
    "frame.nii": (write_nifti, (ROW_MM, COLUMN_MM)),
    "frame.nii.gz": (write_nifti, (ROW_MM, COLUMN_MM)),
    "frame.dcm": (write_dicom, (ROW_MM, COLUMN_MM)),
    "1.2.840.113619.7": (write_dicom, (ROW_MM, COLUMN_MM)),
}
