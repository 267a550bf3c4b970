"""Handling of an error in one of many frames."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)

FAILURE = "failure"  # key of the reason why a frame failed

# Errors that the next frames would meet too: the disk is full or cannot be written to.
_STOPPING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def failure_reason(error: Exception, file: str | Path) -> str:
    """Give the reason why a frame failed, in one line for its row in a table, and log it.

    Args:
        error: The error that was raised while the frame was read or processed, or its results were written.
        file: The frame's file.

    Raises:
        SystemExit: The disk is full or cannot be written to, so the next frames would fail too. (MONAI wraps any other
            exception of a transform, which would hide the reason among tracebacks.)
    """
    # MONAI names the transform that failed; the error itself is the cause.
    while isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    code = getattr(error, "errno", None)
    if code in _STOPPING:
        where = getattr(error, "filename", None) or "the output folder"
        raise SystemExit(
            f"{where}: {os.strerror(code)}. The run stops at {file}; what was written before is kept. "
            "Make room, or choose another output folder, and run again."
        ) from error
    kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
    reason = kind + " ".join(str(error).removeprefix(f"{file}: ").split())
    logger.warning("%s: %s", file, reason)
    return reason
