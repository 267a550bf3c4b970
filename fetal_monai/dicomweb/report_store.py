"""Reports that are stored in a PACS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pydicom
from dicomweb_client import DICOMwebClient

from fetal_monai.dicomweb.error import DicomWebError, explained


class ReportStore:
    """Stores DICOM files by STOW-RS.

    Args:
        client: The server.
    """

    def __init__(self, client: DICOMwebClient) -> None:
        self._client = client

    def __call__(self, files: Sequence[Path]) -> None:
        """Store some files of one study.

        Raises:
            DicomWebError: The server does not store them all. The text names those that it did not store.
        """
        url, reports = self._client.base_url, [pydicom.dcmread(file) for file in files]
        try:
            with explained(url):
                answer = self._client.store_instances(reports)
        except DicomWebError as error:
            raise DicomWebError(f"{_names(files)} not stored: {error}") from error
        refused = {item.ReferencedSOPInstanceUID: item.FailureReason for item in answer.get("FailedSOPSequence", ())}
        left = [file for file, report in zip(files, reports, strict=True) if report.SOPInstanceUID in refused]
        if left:
            codes = ", ".join(sorted({f"{reason:04X}" for reason in refused.values()}))
            raise DicomWebError(f"{_names(left)} not stored: {url}: it refuses them with the DICOM status {codes}.")


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)
