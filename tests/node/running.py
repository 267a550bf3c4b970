"""A running `fetal-monai node`, and dcmtk's programs that call it."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

AE_TITLE = "FETAL_MONAI"
_START_TIMEOUT_S = 120
_TIMEOUT_S = 120

dcmtk = pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk is not installed (Debian's package dcmtk)")
"""Marks a test that needs dcmtk."""


@dataclass(frozen=True)
class RunningNode:
    """A node in a process of its own.

    Attributes:
        process: The process.
        folder: Its queue.
        port: Its DICOM port.
        health_port: Port of its health page.
        log_file: What it prints.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    health_port: int
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/health", timeout=30) as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def wait_until(self, is_reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a state, and return it."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not is_reached(state := self.health()):
            assert time.monotonic() < deadline, (state, self.log[-4000:])
            time.sleep(0.05)
        return state

    def wait_until_idle(self) -> dict[str, Any]:
        return self.wait_until(lambda state: state["waiting"] == 0)

    def store(self, *files: Path, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Send files by dcmtk's storescu, in one association."""
        return self._call("storescu", [*options], files)

    def echo(self, called: str = AE_TITLE, calling: str = "SCANNER") -> subprocess.CompletedProcess[str]:
        return self._call("echoscu", ["-aec", called, "-aet", calling])

    def _call(self, program: str, options: list[str], files: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        titles = ["-aec", AE_TITLE, "-aet", "SCANNER"]
        command = [program, "-v", *titles, *options, "127.0.0.1", str(self.port), *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)


@contextmanager
def started(folder: Path, pacs_port: int, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a node with a folder as its queue, and kill it at the end. Yields the process and the file of its log."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    log_file = next(
        path for number in count() if not (path := folder.with_name(f"{folder.name}_{number}.log")).exists()
    )
    command = [
        *(sys.executable, "-m", "fetal_monai", "node", "--ae-title", AE_TITLE, "--folder", str(folder)),
        *("--send-to", f"ORTHANC@127.0.0.1:{pacs_port}", "--port", "0", "--health-port", "0", *options),
    ]
    # Where the tests run in the background, the signal is ignored, and a new process would inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=heed)
    try:
        yield process, log_file
    finally:
        process.kill()
        process.wait()


@contextmanager
def running_node(folder: Path, pacs_port: int, *options: str) -> Iterator[RunningNode]:
    """Start a node, wait until it listens, and end it by a signal, which it has to heed."""
    with started(folder, pacs_port, *options) as (process, log_file):
        deadline = time.monotonic() + _START_TIMEOUT_S
        while (health := re.search(r"health: http://127\.0\.0\.1:(\d+)/", log_file.read_text())) is None:
            assert process.poll() is None and time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.02)
        listens = re.search(r"listens at \S+:(\d+)", log_file.read_text())
        assert listens is not None
        yield RunningNode(process, folder, int(listens[1]), int(health[1]), log_file)
        process.send_signal(random.choice([signal.SIGTERM, signal.SIGINT]))
        assert process.wait(timeout=60) == 0, log_file.read_text()


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
