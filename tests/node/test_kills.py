"""A node that is killed again and again loses nothing, and reports nothing twice.

The environment variables NODE_KILLS and NODE_IMAGES make it longer: 20 kills while 500 images arrive take four minutes.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: pip install fetal-monai[dicom]")
pytest.importorskip("highdicom", reason="highdicom is not installed: pip install fetal-monai[dicom]")

from tests.node.running import RunningNode, dcmtk, free_port, running_node, started
from tests.node.stored_reports import assert_one_pair_each, reports_by_source
from tests.orthanc import orthanc, running_orthanc

pytestmark = [pytest.mark.slow, orthanc, dcmtk]

KILLS = int(os.environ.get("NODE_KILLS", 2))
IMAGES = int(os.environ.get("NODE_IMAGES", 12))
LIFE_S = (1.0, 5.0)  # from before it listens until it works on what it has
BATCH = 4


def test_each_image_has_one_pair_of_reports(images: Callable[..., list[Path]], tmp_path: Path) -> None:
    files, port, chance = images(IMAGES), free_port(), random.Random(1)
    pause_s = KILLS * LIFE_S[1] * BATCH / IMAGES  # so that images arrive during every life

    def send() -> None:
        for first in range(0, IMAGES, BATCH):
            while scanner.store(*files[first : first + BATCH]).returncode:  # sent again until it is confirmed
                time.sleep(0.1)
            time.sleep(pause_s)

    with running_orthanc(tmp_path / "orthanc") as pacs:
        queue = tmp_path / "node" / "queue"
        options = (queue, pacs.dicom_port, "--port", str(port))
        sender = Thread(target=send, daemon=True)
        for number in range(KILLS):
            with started(*options) as (process, log_file):
                if number == 0:
                    scanner = RunningNode(process, queue, port, 0, log_file)
                    sender.start()
                time.sleep(chance.uniform(*LIFE_S))
                assert process.poll() is None, log_file.read_text()
        assert sender.is_alive()
        with running_node(*options) as node:
            sender.join(timeout=300)
            assert not sender.is_alive()
            state = node.wait_until_idle()
            assert (state["received"], state["sent"], state["failed"]) == (IMAGES, IMAGES, 0)
        assert_one_pair_each(pacs, files)
        assert len(reports_by_source(pacs)) == IMAGES
        assert len(pacs.instances()) == 2 * IMAGES
