"""The ultrasound images of a study in a PACS."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dicomweb_client import DICOMwebClient
from pydicom.config import disable_value_validation
from pydicom.uid import UID, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from fetal_monai.dicomweb.error import DicomWebError, explained
from fetal_monai.files import atomic_path

_ULTRASOUND = (
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    "1.2.840.10008.5.1.4.1.1.6",  # their retired forms, which old devices send
    "1.2.840.10008.5.1.4.1.1.3",
)
_TAGS = ("00080018", "0020000E", "00080016")  # SOP Instance UID, Series Instance UID, SOP Class UID
_UID = re.compile(r"[0-9.]{1,64}")  # old devices write leading zeros, which the standard forbids


class UltrasoundStudy:
    """The ultrasound images of a study, still and moving; other objects are left out, such as our own reports.

    Args:
        client: The server.
        study: Study Instance UID.
        series: Series Instance UID; None for all series.

    Attributes:
        instances: SOP Instance UIDs, sorted.

    Raises:
        DicomWebError: The server cannot be asked, or has no such study, or no ultrasound image in it.
        ValueError: A UID is none.
    """

    def __init__(self, client: DICOMwebClient, study: str, series: str | None = None) -> None:
        for uid in filter(None, (study, series)):
            if not _UID.fullmatch(uid):
                raise ValueError(f"{uid!r} is not a UID; expected digits and dots, such as 1.2.840.113619.2.1.")
        self._client = client
        self._study = study
        with explained(client.base_url):
            found = list(_all_instances(client, study, series))
        place = f"{client.base_url}: the study {study}" + ("" if series is None else f", series {series},")
        if not found:
            raise DicomWebError(f"{place} is not on this server.")
        self._series_of = {each.uid: each.series for each in found if each.sop_class in _ULTRASOUND}
        if not self._series_of:
            kinds = Counter(UID(each.sop_class).name for each in found)
            listed = ", ".join(f"{count} {name}" for name, count in kinds.items())
            raise DicomWebError(f"{place} holds no ultrasound image, but {listed}.")
        self.instances = sorted(self._series_of)

    def retrieve(self, instance: str, path: Path) -> None:
        """Write an instance to a file, in the transfer syntax in which the server has it.

        Args:
            instance: One of `instances`.
            path: The file.

        Raises:
            DicomWebError: The server does not give it.
            OSError: The file cannot be written.
        """
        with explained(self._client.base_url):
            dataset = self._client.retrieve_instance(self._study, self._series_of[instance], instance)
            if dataset.SOPInstanceUID != instance:
                raise DicomWebError(f"{self._client.base_url}: it gives another instance than the one asked for.")
        with atomic_path(path) as temporary, disable_value_validation():
            dataset.save_as(temporary, enforce_file_format=True)


class _Instance(NamedTuple):
    uid: str
    series: str
    sop_class: str


def _all_instances(client: DICOMwebClient, study: str, series: str | None) -> Iterator[_Instance]:
    """Page through the answer. A server that ignores the offset repeats what was seen."""
    seen: set[str] = set()
    while True:
        page = [
            _Instance(*(str(each[tag]["Value"][0]) for tag in _TAGS))
            for each in client.search_for_instances(study, series, offset=len(seen) or None)
        ]
        new = [each for each in page if each.uid not in seen]
        if not new:
            return
        if not all(_UID.fullmatch(each.uid) for each in new):
            raise DicomWebError(f"{client.base_url}: a SOP Instance UID of the study {study} is not a UID.")
        yield from new
        seen |= {each.uid for each in new}
