"""The process of a run, and whether it has ended."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_SEPARATOR = " / "


def process_name(pid: int) -> str | None:
    """Return a unique name of a living process; None if the process has ended, or on other systems than Linux.

    The name consists of the host with the namespace of the process numbers (each container has its own), the process
    number, and the start time, because numbers are reused.
    """
    try:
        # The second field, the command in parentheses, may itself hold spaces and parentheses.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        host = f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None
    is_zombie = state in "ZX"
    return None if is_zombie else _SEPARATOR.join((host, str(pid), f"{boot} {fields[18]}"))


def has_ended(name: str) -> bool:
    """Return whether the process with a name from `process_name` has ended; False for a process of another host."""
    host, _, rest = name.partition(_SEPARATOR)
    pid = rest.partition(_SEPARATOR)[0]
    own = process_name(os.getpid())
    return own is not None and own.startswith(host + _SEPARATOR) and process_name(int(pid)) != name
