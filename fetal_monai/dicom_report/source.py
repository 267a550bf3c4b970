"""What the reports take from the DICOM file that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.config import disable_value_validation
from pydicom.errors import InvalidDicomError
from pydicom.valuerep import DA, TM

from fetal_monai.dicom_report.report_error import NoReportError

_REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
_PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName"),
)
_OPTIONAL = ("IssuerOfPatientID", "StudyDescription")  # the others have to be there, even if empty
_SEXES = ("M", "F", "O")


@dataclass(frozen=True)
class ReportSource:
    """The image that a report is about.

    Attributes:
        header: Its identifiers, size, patient and study, and nothing else. Text beyond ASCII is written as UTF-8.
            What is missing is empty, and so are dates, times and a sex that the standard does not allow.
        frame_number: The frame, from 1; None if the image has no numbered frames.
        frame_count: Frames of the image.
    """

    header: pydicom.Dataset
    frame_number: int | None
    frame_count: int

    @property
    def frame_numbers(self) -> list[int] | None:
        """The frame as references to an image state it."""
        return None if self.frame_number is None else [self.frame_number]


def read_source(path: Path, frame_index: int) -> ReportSource:
    """Read what reports take from a DICOM file.

    Args:
        path: The file.
        frame_index: The frame that was measured, from 0.

    Raises:
        NoReportError: It is not a DICOM file, or does not identify its image, series and study.
    """
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError as error:
        raise NoReportError("not a DICOM file, so there is no study to report into.") from error
    return source_of(dataset, frame_index)


def source_of(dataset: pydicom.Dataset, frame_index: int) -> ReportSource:
    """As `read_source`, of a data set in memory."""
    with disable_value_validation():  # it would log values, which are personal data
        if missing := [keyword for keyword in _REQUIRED if not dataset.get(keyword)]:
            raise NoReportError(f"the DICOM file lacks {', '.join(missing)}; export it from the PACS again.")
        header = pydicom.Dataset()
        for keyword in _REQUIRED:
            setattr(header, keyword, dataset[keyword].value)
        for keyword in _PATIENT_AND_STUDY:
            value = _text(keyword, dataset.get(keyword))
            if value or keyword not in _OPTIONAL:
                setattr(header, keyword, value)
        if not all(str(element.value).isascii() for element in header):
            header.SpecificCharacterSet = "ISO_IR 192"
        header.InstanceNumber = max(int(dataset.get("InstanceNumber") or 1), 1)
    numbered = "NumberOfFrames" in dataset
    return ReportSource(header, frame_index + 1 if numbered else None, int(dataset.get("NumberOfFrames") or 1))


def _text(keyword: str, value: Any) -> str:
    text = "" if value is None else str(value)
    if keyword == "PatientSex":
        return text if text in _SEXES else ""
    parser = DA if keyword.endswith("Date") else TM if keyword.endswith("Time") else str
    try:
        parser(text)
    except ValueError:
        return ""
    return text
