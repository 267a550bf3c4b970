"""The patient and the study of a DICOM file: personal data, to be written to the user's own table only."""

from __future__ import annotations

import re

import pydicom
from pydicom.config import disable_value_validation

STUDY_ATTRIBUTES = {
    "patient_id": "PatientID",
    "study_date": "StudyDate",
    "study_instance_uid": "StudyInstanceUID",
    "sop_instance_uid": "SOPInstanceUID",
}
"""DICOM's keywords, by the names of the columns that hold them in tables."""

_DICOM_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")


def read_study(dataset: pydicom.Dataset) -> dict[str, str]:
    """Read the patient and the study from a DICOM file, by the names in `STUDY_ATTRIBUTES`.

    Attributes that the file lacks are left out. The date is written as ``2026-11-21``.
    """
    with disable_value_validation():  # it would log values that violate the standard
        stated = {name: str(dataset.get(keyword) or "") for name, keyword in STUDY_ATTRIBUTES.items()}
    if date := _DICOM_DATE.fullmatch(stated["study_date"]):
        stated["study_date"] = "-".join(date.groups())
    return {name: value for name, value in stated.items() if value}
