"""Orthanc, a PACS from Debian, as the other side of the tests: DICOM, a REST interface and DICOMweb."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

PROGRAM = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
DICOMWEB_PLUGIN = next(
    (
        folder / "libOrthancDicomWeb.so"
        for folder in (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
        if (folder / "libOrthancDicomWeb.so").exists()
    ),
    None,
)
orthanc = pytest.mark.skipif(
    PROGRAM is None or DICOMWEB_PLUGIN is None,
    reason="Orthanc is not installed (Debian's packages orthanc and orthanc-dicomweb)",
)
"""Marks a test that needs Orthanc."""

_START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc.

    Attributes:
        ae_title: Its application entity title; it takes calls to any other title too, unless told otherwise.
        dicom_port: Port of C-STORE, C-FIND and C-ECHO.
        http_port: Port of the REST interface and of DICOMweb.
        user: Name and password that HTTP requires; None if it requires none.
        log: What it prints.
    """

    ae_title: str
    dicom_port: int
    http_port: int
    user: tuple[str, str] | None
    log: Path

    @property
    def url(self) -> str:
        """The address of the REST interface; DICOMweb is at ``/dicom-web`` below it."""
        return f"http://127.0.0.1:{self.http_port}"

    def get(self, path: str, data: bytes | None = None) -> bytes:
        """Ask the REST interface, such as ``/statistics``; with data, by POST.

        Raises:
            urllib.error.HTTPError: It refuses.
        """
        request = urllib.request.Request(self.url + path, data)
        if self.user is not None:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(self.user).encode()).decode())
        with urllib.request.urlopen(request, timeout=60) as response:
            content: bytes = response.read()
        return content

    def send(self, file: Path) -> None:
        """Store a DICOM file."""
        self.get("/instances", file.read_bytes())

    def instances(self, modality: str | None = None) -> list[str]:
        """Return Orthanc's own identifiers of all instances, or of those of a modality such as "SR"."""
        query = {"Level": "Instance", "Query": {} if modality is None else {"Modality": modality}}
        found: list[str] = json.loads(self.get("/tools/find", json.dumps(query).encode()))
        return found

    def read(self, instance: str) -> pydicom.Dataset:
        """Read an instance, by one of the identifiers of `instances`."""
        return pydicom.dcmread(BytesIO(self.get(f"/instances/{instance}/file")))


@contextmanager
def running_orthanc(
    folder: Path, *, user: tuple[str, str] | None = None, settings: dict[str, Any] | None = None
) -> Iterator[Orthanc]:
    """Start Orthanc on free ports, empty, and stop it at the end.

    HTTP is open to this machine only.

    Args:
        folder: For its files; made here.
        user: Name and password to require over HTTP.
        settings: More options of Orthanc's configuration file, such as ``{"DicomCheckCalledAet": True}``.
    """
    assert PROGRAM is not None and DICOMWEB_PLUGIN is not None, "mark the test with tests.orthanc.orthanc"
    folder.mkdir(parents=True)
    for _ in range(5):  # another process may take a free port first: Orthanc ends then
        server = Orthanc("ORTHANC", _free_port(), _free_port(), user, folder / "log.txt")
        configuration = folder / "orthanc.json"
        configuration.write_text(json.dumps(_configuration(server, folder / "storage") | (settings or {})))
        with server.log.open("wb") as log:
            process = subprocess.Popen([PROGRAM, str(configuration)], stdout=log, stderr=log)
        try:
            if _answers(server, process):
                yield server
                return
        finally:
            process.kill()  # a clean stop takes seconds, and nobody needs what it holds
            process.wait()
    raise AssertionError(f"Orthanc does not start:\n{_end_of_log(server)}")


def _configuration(server: Orthanc, storage: Path) -> dict[str, Any]:
    return {
        "StorageDirectory": str(storage),
        "IndexDirectory": str(storage),
        "Plugins": [str(DICOMWEB_PLUGIN)],
        "DicomAet": server.ae_title,
        "DicomPort": server.dicom_port,
        "HttpPort": server.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": server.user is not None,
        "RegisteredUsers": dict([server.user] if server.user else []),
    }


def _answers(server: Orthanc, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it answers over HTTP; False if it ends instead."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None:
        try:
            server.get("/system")
            return True
        except OSError:
            assert time.monotonic() < deadline, f"Orthanc does not answer:\n{_end_of_log(server)}"
            time.sleep(0.05)
    return False


def _end_of_log(server: Orthanc) -> str:
    return server.log.read_text(errors="replace")[-4000:]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
