"""The structured reports that Orthanc holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pydicom

from tests.dicom_report.content_tree import concept
from tests.orthanc import Orthanc

PAIR = ["OB-GYN Ultrasound Procedure Report", "Imaging Measurement Report"]


def reports_by_source(pacs: Orthanc) -> dict[str, list[pydicom.Dataset]]:
    """Return all structured reports, by the SOP Instance UID of the image that they are about."""
    found = defaultdict(list)
    for instance in pacs.instances("SR"):
        report = pacs.read(instance)
        (study,) = report.CurrentRequestedProcedureEvidenceSequence
        (series,) = study.ReferencedSeriesSequence
        (image,) = series.ReferencedSOPSequence
        found[str(image.ReferencedSOPInstanceUID)].append(report)
    return dict(found)


def instance_uid(image: Path) -> str:
    """Return the SOP Instance UID of a file."""
    return str(pydicom.dcmread(image, stop_before_pixels=True).SOPInstanceUID)


def titles(reports: Iterable[pydicom.Dataset]) -> list[str]:
    """Return the titles of reports, in the order of `PAIR`."""
    return sorted((concept(report).meaning for report in reports), key=PAIR.index)


def assert_one_pair_each(pacs: Orthanc, images: Iterable[Path]) -> None:
    """Check that each image has its two reports, once."""
    stored = reports_by_source(pacs)
    for image in images:
        assert titles(stored.get(instance_uid(image), [])) == PAIR
