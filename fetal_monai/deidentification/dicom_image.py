"""A de-identified DICOM image of one frame."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from fetal_monai.deidentification.key_table import Pseudonym
from fetal_monai.geometry import UltrasoundRegion

_RULES = partial(initialize_actions, "dicomfields_2026c")
"""The Basic Application Level Confidentiality Profile, DICOM PS3.15 table E.1-1."""

# What an ultrasound image has to have of its patient, study and series. Nothing else is taken over: the library leaves
# what is nested in sequences, and text that the profile does not expect to name anybody.
_TAKEN_OVER = (
    *("PatientSex", "StudyInstanceUID", "StudyID", "AccessionNumber", "ReferringPhysicianName", "SeriesInstanceUID"),
)
_METHOD = "PS3.15 basic profile; pixels cropped to ultrasound regions"


def deidentified_image(
    source: Path, pixels: NDArray[np.uint8], regions: tuple[UltrasoundRegion, ...], pseudonym: Pseudonym
) -> pydicom.Dataset:
    """Make an ultrasound image without the patient's data.

    Args:
        source: The DICOM file of the frame.
        pixels: Gray levels (H, W) of what is kept of it.
        regions: Where the ultrasound is on them.
        pseudonym: What it is called.
    """
    header = pydicom.dcmread(source, stop_before_pixels=True)
    image = pydicom.Dataset()
    with disable_value_validation():  # it would log values
        for keyword in _TAKEN_OVER:
            missing = generate_uid(None) if keyword.endswith("UID") else None
            setattr(image, keyword, header.get(keyword) or missing)
        anonymize_dataset(image, base_rules_gen=_RULES)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = UltrasoundImageStorage, generate_uid(None)
    image.Modality = "US"
    image.PatientName = image.PatientID = pseudonym.patient
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = _METHOD
    image.DeidentificationMethodCodeSequence = [_coded(codes.DCM.BasicApplicationConfidentialityProfile)]
    image.ImageType = ["DERIVED", "PRIMARY"]
    image.PatientBirthDate = image.StudyDate = image.StudyTime = None  # the library would write the year 1
    image.Manufacturer = image.SeriesNumber = image.PatientOrientation = image.Laterality = None
    image.InstanceNumber = pseudonym.number
    if regions:
        image.SequenceOfUltrasoundRegions = [_region(region) for region in regions]
    image.set_pixel_data(pixels, "MONOCHROME2", 8, generate_instance_uid=False)
    return image


def _region(region: UltrasoundRegion) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.RegionSpatialFormat = item.RegionDataType = 1  # 2-D, tissue
    item.RegionFlags = 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = region.left, region.top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = region.right, region.bottom
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3  # cm
    row_mm, column_mm = region.pixel_spacing_mm
    item.PhysicalDeltaX, item.PhysicalDeltaY = column_mm / 10, row_mm / 10
    return item


def _coded(code: pydicom.sr.coding.Code) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
