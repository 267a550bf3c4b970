"""A port that is in use is named, with the option that changes it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: pip install fetal-monai[dicom]")

from fetal_monai.node.health import HealthPage
from fetal_monai.node.listener import Listener
from fetal_monai.node.settings import NodeSettings
from fetal_monai.node.spool import Spool


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_of_dicom(used_port: int, tmp_path: Path) -> None:
    settings = NodeSettings("NODE", "127.0.0.1", used_port, tmp_path, (), 1_000_000, 0)
    with pytest.raises(OSError, match=f"^127.0.0.1:{used_port} cannot be listened at .* --port.$"):
        Listener(settings, Spool(tmp_path))


def test_of_the_health_page(used_port: int) -> None:
    with pytest.raises(OSError, match=f"^127.0.0.1:{used_port} cannot be listened at .* --health-port.$"):
        HealthPage(used_port, dict)
