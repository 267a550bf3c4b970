"""The frame that the reports are about, and how each report is identified."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID, ExplicitVRLittleEndian

from fetal_monai.dicom_report.algorithm import MANUFACTURER, Algorithm
from fetal_monai.dicom_report.report_error import NoReportError
from fetal_monai.dicom_report.source import ReportSource
from fetal_monai.measurement.head_result import HeadResult

_SERIES = {
    "obgyn": (9001, "AI fetal biometry, unverified"),
    "tid1500": (9002, "AI fetal head ellipse, unverified"),
    "seg": (9003, "AI fetal head mask, unverified"),
    "sc": (9004, "AI fetal head overlay, unverified"),
}
"""Number and description of the series of each kind of report."""


@dataclass(frozen=True, eq=False)
class ReportedFrame:
    """A frame whose measurement is reported.

    Attributes:
        source: Its image.
        pixels: Gray levels (H, W).
        result: Its measurement.
        algorithm: What measured it.

    Raises:
        NoReportError: The measurement is doubtful, failed or has no scale.
    """

    source: ReportSource
    pixels: NDArray[np.float32]
    result: HeadResult
    algorithm: Algorithm

    def __post_init__(self) -> None:
        if self.result.status != "measured":
            raise NoReportError(f"{self.result.status}: {self.result.reason}")

    @property
    def note(self) -> str | None:
        """Of a loop, which frame it is."""
        if self.source.frame_count == 1:
            return None
        return f"Measured on frame {self.source.frame_number} of {self.source.frame_count}, proposed for this loop."

    def identification(self, kind: str) -> dict[str, Any]:
        """What highdicom's documents and images have in common.

        The UIDs follow from what was measured and how: a report that is made again has the same ones. A series holds
        the reports of one kind on one series of images.

        Args:
            kind: A key of `_SERIES`.
        """
        header, algorithm, scale = self.source.header, self.algorithm, self.result.scale
        by = (kind, algorithm.name, algorithm.version, algorithm.weights_sha256, algorithm.runtime)
        given = (scale.pixel_spacing_mm, scale.source, scale.gestational_age_days)
        number, description = _SERIES[kind]
        return {
            "series_instance_uid": derived_uid(header.SeriesInstanceUID, *by),
            "series_number": number,
            "series_description": description,
            "sop_instance_uid": derived_uid(header.SOPInstanceUID, *by, *given),
            "instance_number": header.InstanceNumber,
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": algorithm.name,
            "software_versions": algorithm.version,
            "device_serial_number": algorithm.weights_sha256,
            "transfer_syntax_uid": ExplicitVRLittleEndian,
            "specific_character_set": header.get("SpecificCharacterSet"),
        }


def derived_uid(*parts: object) -> UID:
    """A UID that is the same whenever the parts are (ITU-T X.667, by name)."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, repr([str(part) for part in parts])).int}")
