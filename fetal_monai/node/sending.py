"""The step from reports on disk to reports in the PACS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.status import STATUS_SUCCESS, STATUS_WARNING, code_to_category

from fetal_monai.node.object_table import Entry, State
from fetal_monai.node.settings import Peer
from fetal_monai.node.spool import Spool
from fetal_monai.node.steps import Outcome

TIMEOUT_S = 30.0
"""How long a PACS may take for an answer."""

_TRANSIENT = (*range(0xA700, 0xA800), 0x0110)  # out of resources; processing failure
_UNCOMPRESSED = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


class RefusedError(Exception):
    """The PACS refuses a report for good."""


class Sending:
    """Sends the reports of an object.

    Args:
        spool: The queue.
        store: Stores some files, such as `PacsStore`. It raises OSError if they are to be sent again, and
            `RefusedError` if not.
    """

    def __init__(self, spool: Spool, store: Callable[[Sequence[Path]], None]) -> None:
        self._spool = spool
        self._store = store

    def __call__(self, entry: Entry) -> Outcome:
        """Send the reports of an object.

        Returns:
            SENT; FAILED with the reason; or REPORTED if they are to be sent again.
        """
        reports = self._spool.report_paths(entry.name)
        if not reports:
            return Outcome(State.FAILED, "its reports are gone from the queue; send the image again.")
        try:
            self._store(reports)
        except OSError as error:
            return Outcome(State.REPORTED, str(error))
        except RefusedError as error:
            return Outcome(State.FAILED, str(error))
        except Exception as error:  # whatever it is, it must not end the node
            return Outcome(State.FAILED, f"{type(error).__name__} while its reports were sent.")
        return Outcome(State.SENT)


class PacsStore:
    """Stores DICOM files by C-STORE.

    Args:
        peer: The PACS.
        ae_title: The title to call by.
        timeout_s: How long the PACS may take to answer.
    """

    def __init__(self, peer: Peer, ae_title: str, timeout_s: float = TIMEOUT_S) -> None:
        self._peer = peer
        self._ae_title = ae_title
        self._timeout_s = timeout_s

    def __call__(self, files: Sequence[Path]) -> None:
        """Store some files.

        Raises:
            OSError: The PACS cannot be reached, does not answer, or cannot take them now.
            RefusedError: The PACS refuses one.
        """
        reports = [pydicom.dcmread(file) for file in files]
        entity = AE(ae_title=self._ae_title)
        entity.connection_timeout = entity.acse_timeout = self._timeout_s
        entity.dimse_timeout = entity.network_timeout = self._timeout_s
        for sop_class in {report.SOPClassUID for report in reports}:
            entity.add_requested_context(sop_class, _UNCOMPRESSED)
        association = entity.associate(self._peer.host, self._peer.port, ae_title=self._peer.ae_title)
        try:
            if refused := {context.abstract_syntax.name for context in association.rejected_contexts}:
                raise ConnectionError(f"{self._peer} does not accept {', '.join(sorted(refused))}.")
            if not association.is_established:
                how = "rejects the association" if association.is_rejected else "cannot be reached, or does not answer"
                raise ConnectionError(f"{self._peer} {how}.")
            for report in reports:
                self._store(association, report)
        finally:
            association.release()

    def _store(self, association: Association, report: pydicom.Dataset) -> None:
        status = association.send_c_store(report).get("Status") if association.is_established else None
        if status is None:
            raise TimeoutError(f"{self._peer} does not answer.")
        if code_to_category(status) not in (STATUS_SUCCESS, STATUS_WARNING):
            refusal = f"{self._peer} refuses the report ({report.SOPClassUID.name}) with the status {status:04X}."
            raise OSError(refusal) if status in _TRANSIENT else RefusedError(refusal)
