"""What a PACS may answer, and what follows from it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: pip install fetal-monai[dicom]")

from pydicom.uid import UltrasoundImageStorage
from pynetdicom import AE, evt

from fetal_monai.node.sending import PacsStore, RefusedError
from fetal_monai.node.settings import Peer
from tests.node.running import free_port


@contextmanager
def pacs(status: int, sop_class: str = UltrasoundImageStorage) -> Iterator[Peer]:
    """A PACS that answers with a status."""
    entity = AE("PACS")
    entity.add_supported_context(sop_class)
    port = free_port()
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _: status)])
    assert server is not None
    yield Peer("PACS", "127.0.0.1", port)
    server.shutdown()


@pytest.fixture
def image(write: Callable[..., Path], tmp_path: Path) -> Path:
    return write(tmp_path / "image.dcm")


@pytest.mark.parametrize("status", [0x0000, 0xB000])
def test_success_and_warnings_are_a_confirmation(image: Path, status: int) -> None:
    with pacs(status) as peer:
        PacsStore(peer, "NODE")([image])


@pytest.mark.parametrize("status", [0xA700, 0xA701, 0x0110])
def test_what_the_pacs_cannot_take_now_is_sent_again(image: Path, status: int) -> None:
    with pacs(status) as peer, pytest.raises(OSError, match=f"{status:04X}"):
        PacsStore(peer, "NODE")([image])


@pytest.mark.parametrize("status", [0xA900, 0xC123, 0x0122, 0x4711])
def test_what_the_pacs_refuses_has_failed(image: Path, status: int) -> None:
    with pacs(status) as peer, pytest.raises(RefusedError, match=f"{status:04X}"):
        PacsStore(peer, "NODE")([image])


def test_a_pacs_that_does_not_know_the_kind_of_object_may_learn_it(image: Path) -> None:
    with (
        pacs(0, "1.2.840.10008.5.1.4.1.1.2") as peer,
        pytest.raises(OSError, match="does not accept Ultrasound Image Storage"),
    ):
        PacsStore(peer, "NODE")([image])


def test_a_pacs_that_does_not_answer_is_left_after_a_while(image: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(OSError, match="cannot be reached"):
            PacsStore(Peer("PACS", "127.0.0.1", silent.getsockname()[1]), "NODE", timeout_s=0.5)([image])
        assert time.monotonic() - began < 20
