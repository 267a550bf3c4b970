"""A command that gets Ctrl-C."""

import signal
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path


def interrupted(command: Sequence[str], table: Path, lines: int) -> str:
    """Run a command, interrupt it when a table has some lines, and return what it prints as errors."""
    # Where the tests run in the background, the signal is ignored, and a new process would inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    while process.poll() is None and not (table.is_file() and len(table.read_bytes().splitlines()) >= lines):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    return errors
