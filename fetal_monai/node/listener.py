"""The side of a node that scanners and PACS call: C-STORE and C-ECHO."""

from __future__ import annotations

import logging
import sqlite3
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import Verification

from fetal_monai.data.io.dicom import is_decodable
from fetal_monai.node.settings import NodeSettings
from fetal_monai.node.spool import Spool

logger = logging.getLogger(__name__)

SOP_CLASSES = (UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, SecondaryCaptureImageStorage)
"""What is accepted."""
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
"""Statuses of C-STORE (PS3.4, B.2.3)."""

_CALLING_TITLE_NOT_RECOGNISED = (0x01, 0x01, 0x03)  # permanent, by the service user (PS3.8, 9.3.4)
_PDU_BYTES = 128 << 10
_PREAMBLE = bytes(128) + b"DICM"


def transfer_syntaxes() -> list[UID]:
    """Return the transfer syntaxes of images that can be decoded here."""
    return [syntax for syntax in AllTransferSyntaxes if is_decodable(syntax)]


class Listener:
    """Takes objects into the queue. It answers a C-STORE with success when the object is on the disk.

    Args:
        settings: How to listen.
        spool: The queue.

    Attributes:
        rejected: Associations and objects that were rejected since the start.
        address: Address and port at which it listens.

    Raises:
        OSError: The address cannot be listened at.
    """

    def __init__(self, settings: NodeSettings, spool: Spool) -> None:
        self.rejected = 0
        self._settings = settings
        self._spool = spool
        self._entity = entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        entity.maximum_pdu_size = _PDU_BYTES
        entity.add_supported_context(Verification)
        for sop_class in SOP_CLASSES:
            entity.add_supported_context(sop_class, transfer_syntaxes())
        handlers = [
            (evt.EVT_REQUESTED, self._check_caller),
            (evt.EVT_REJECTED, self._count_rejected),
            (evt.EVT_PDU_RECV, self._drop_too_large),
            (evt.EVT_C_STORE, self._store),
        ]
        try:
            server = entity.start_server((settings.host, settings.port), block=False, evt_handlers=handlers)
        except OSError as error:
            raise OSError(
                f"{settings.host}:{settings.port} cannot be listened at ({error.strerror}). Is another node running? "
                "Give an address of this machine by --host, and a free port by --port."
            ) from error
        self.address: tuple[str, int] = server.server_address[:2]

    def stop(self) -> None:
        """Stop listening. What was not confirmed is aborted, and its sender sends it again."""
        self._entity.shutdown()

    def _check_caller(self, event: evt.Event) -> None:
        callers, requestor = self._settings.accept, event.assoc.requestor
        title = requestor.primitive.calling_ae_title.strip()
        if callers and not any(caller.is_calling(title, requestor.address) for caller in callers):
            event.assoc.acse.send_reject(*_CALLING_TITLE_NOT_RECOGNISED)
            self._count_rejected(event)
            event.assoc.kill()

    def _count_rejected(self, event: evt.Event) -> None:
        self.rejected += 1
        logger.warning("an association from %s was rejected", event.assoc.requestor.address)

    def _drop_too_large(self, event: evt.Event) -> None:
        """Keep no more of an object that is too large: before its end, it cannot be answered."""
        message = event.assoc.dimse.message
        if isinstance(event.pdu, P_DATA_TF) and message is not None:
            content = message.data_set
            if content.tell() > self._settings.max_object_bytes:
                message.data_set = _Dropped()

    def _store(self, event: evt.Event) -> int | Dataset:
        content, limit = event.request.DataSet, self._settings.max_object_bytes
        size = content.getbuffer().nbytes
        if isinstance(content, _Dropped) or size > limit:
            self.rejected += 1
            logger.warning("an object of more than %d bytes was rejected", limit)
            return _refusal(CANNOT_UNDERSTAND, f"larger than {limit} bytes")

        def write(file: Any) -> None:
            file.write(_PREAMBLE)
            write_file_meta_info(file, event.file_meta)
            file.write(content.getbuffer())

        try:
            number = self._spool.receive(event.request.AffectedSOPInstanceUID, size, write)
        except (OSError, sqlite3.Error) as error:
            self.rejected += 1
            logger.error("an object was rejected, as the queue cannot be written to (%s)", error)
            return _refusal(OUT_OF_RESOURCES, "the queue cannot be written to")
        logger.info("an object came again" if number is None else f"object {number}: received")
        return SUCCESS


class _Dropped(BytesIO):
    """Takes what is written to it, and keeps nothing."""

    def write(self, data: Any, /) -> int:
        return len(data)


def _refusal(status: int, comment: str) -> Dataset:
    answer = Dataset()
    answer.Status, answer.ErrorComment = status, comment
    return answer
