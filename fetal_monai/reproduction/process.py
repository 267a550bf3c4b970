"""Run a command with its output on the terminal and in a log."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import cast


def run_logged(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
    """Run a command, and write its output to the terminal and to the end of the log.

    The command is terminated when this process is interrupted. It writes into a pipe, so that it cannot outlive this
    process for long, even if this process is killed.

    Returns:
        The command's exit status.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("ab") as kept,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        output = cast(BufferedReader, process.stdout)
        try:
            while part := output.read1():
                kept.write(part)
                kept.flush()
                sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()
        except BaseException:
            process.terminate()
            raise
    return process.returncode


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log; of a progress bar, its last state."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    return "\n".join(line.rsplit("\r", 1)[-1] for line in text.rstrip().split("\n")[-lines:])
