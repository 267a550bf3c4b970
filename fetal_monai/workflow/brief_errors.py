"""One line instead of a traceback for errors that the user can correct, on the command line."""

from __future__ import annotations

import dis
import os
import sys
from types import TracebackType

FULL_TRACEBACK = "FETAL_MONAI_TRACEBACK"
"""The environment variable that keeps tracebacks."""

_RAISE = dis.opmap["RAISE_VARARGS"]


def on_command_line() -> bool:
    """Return whether this process runs `python -m monai.bundle`, and not a program that runs a workflow."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and spec.name == "monai.bundle.__main__"


def report_errors_briefly() -> None:
    """Let an error that ends `python -m monai.bundle` print `brief_message` as its last line; the exit code is 1.

    Other errors keep their traceback, and all do where the environment variable `FETAL_MONAI_TRACEBACK` is set. In a
    program that runs a workflow, nothing changes: it gets the exception.
    """
    if on_command_line() and FULL_TRACEBACK not in os.environ:
        sys.excepthook = _report


def brief_message(error: BaseException) -> str | None:
    """Return in one line what went wrong and how to correct it; None for an unexpected error.

    MONAI wraps errors in others, such as "Failed to evaluate ConfigExpression". Expected is the first error in the
    chain that a `raise` of this package raised, since its message is written for users, or that the operating system
    reported.

    Args:
        error: The outermost error.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return "Interrupted. What was written before is kept."
        if _is_raised_by_us(cause):
            return "Error: " + " ".join(str(cause).split())
        if isinstance(cause, OSError) and cause.strerror:
            where = f"{cause.filename}: " if cause.filename else ""
            return f"Error: {where}{cause.strerror}. What was written before is kept."
        cause = cause.__cause__
    return None


def _report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    message = brief_message(error)
    if message is None:
        sys.__excepthook__(kind, error, traceback)
    else:
        sys.stdout.flush()
        print(message.encode(errors="backslashreplace").decode(), file=sys.stderr)


def _is_raised_by_us(error: BaseException) -> bool:
    """Whether a `raise` statement of this package raised the error, and not an operation that failed in it."""
    last, innermost = None, error.__traceback__
    while innermost is not None:
        last, innermost = innermost, innermost.tb_next
    if last is None:
        return False
    code, module = last.tb_frame.f_code, last.tb_frame.f_globals.get("__name__", "")
    return module.startswith("fetal_monai.") and code.co_code[last.tb_lasti] == _RAISE
