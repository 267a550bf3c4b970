"""Whose frame a DICOM file holds, and from which study: personal data, for the user's own table and nothing else."""

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
    """The patient and the study that a DICOM file states, by the names in `STUDY_ATTRIBUTES`.

    What the file does not state is left out. The date is given as ``2026-11-21``.
    """
    with disable_value_validation():  # which logs values that break DICOM's rules
        stated = {name: str(dataset.get(keyword) or "") for name, keyword in STUDY_ATTRIBUTES.items()}
    if date := _DICOM_DATE.fullmatch(stated["study_date"]):
        stated["study_date"] = "-".join(date.groups())
    return {name: value for name, value in stated.items() if value}
