"""A node while its PACS is away, or its disk is full."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from tests.frame_files import region
from tests.node.conftest import SPACING_MM
from tests.node.running import dcmtk, free_port, running_node
from tests.node.stored_reports import assert_one_pair_each
from tests.orthanc import orthanc, running_orthanc

pytestmark = [pytest.mark.slow, orthanc, dcmtk]

SMALL_DISK_BYTES = 38 << 20  # of which 32 MiB are kept free
ENLARGED = 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"no small disk can be made: {error}")
    if mounted.returncode:
        pytest.skip(f"no small disk can be made: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_reports_wait_for_the_pacs(images: Callable[..., list[Path]], tmp_path: Path) -> None:
    files, pacs_port = images(3), free_port()
    with running_node(tmp_path / "node" / "queue", pacs_port) as node:
        assert node.store(*files).returncode == 0
        state = node.wait_until(lambda state: any(entry["tries"] > 1 for entry in state["reasons"]))
        assert (state["waiting"], state["sent"], state["failed"]) == (3, 0, 0)
        assert f"ORTHANC@127.0.0.1:{pacs_port} cannot be reached" in state["reasons"][-1]["reason"]
        with running_orthanc(tmp_path / "orthanc", settings={"DicomPort": pacs_port}) as pacs:
            assert node.wait_until_idle()["sent"] == 3
            assert_one_pair_each(pacs, files)


def test_a_full_disk_refuses_images_until_there_is_room(
    small_disk: Path, head: NDArray[np.uint8], images: Callable[..., list[Path]], tmp_path: Path
) -> None:
    large = head.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    height, width = large.shape
    whole = region(SPACING_MM / ENLARGED, SPACING_MM / ENLARGED, (0, 0, width - 1, height - 1))
    files, pacs_port = images(12, pixels=large, regions=[whole]), free_port()
    with running_node(small_disk / "queue", pacs_port) as node:
        assert "OutOfResources" in node.store(*files).stderr
        full = node.health()
        assert 0 < full["received"] < len(files)
        assert full["rejected"] == 1
        stored = {file.name[0] for file in (node.folder / "objects").iterdir()}
        assert "." not in stored  # nothing half written
        with running_orthanc(tmp_path / "orthanc", settings={"DicomPort": pacs_port}) as pacs:
            assert node.wait_until_idle()["sent"] == full["received"]
            while node.store(*files).returncode:  # as a scanner sends again what was not confirmed
                node.wait_until_idle()
            assert node.wait_until_idle()["sent"] == len(files)
            assert_one_pair_each(pacs, files)
