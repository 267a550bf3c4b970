"""A common error type for files that cannot be decoded as a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["FrameError", "decoder_reason", "decoding", "not_one_frame"]


class FrameError(ValueError):
    """A file that cannot be used as a frame. The message names the file, what is wrong and how to fix it."""


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Convert any exception of a decoder to a FrameError.

    All exceptions are caught: on damaged files, libraries raise struct.error, zlib.error, KeyError, RuntimeError and
    exceptions of their own, and one bad file must not end a batch.
    """
    try:
        yield
    except FrameError:
        raise
    except Exception as error:
        raise FrameError(
            f"{path}: cannot be read as a frame, so it is damaged or not what its name says "
            f"({decoder_reason(error, path)}); export or copy it again."
        ) from error


def decoder_reason(error: Exception, path: Path) -> str:
    """Describe in one line what a decoder found wrong."""
    message = str(getattr(error, "strerror", None) or error)
    message = message.replace(f"<_io.BufferedReader name={str(path)!r}>", path.name)  # as Pillow names an open file
    # Only the last line, because pydicom lists the messages of its decoders after a heading. Only the file's name,
    # because the caller's message starts with the whole path.
    lines = message.replace(str(path), path.name).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".")


def not_one_frame(path: Path, found: str) -> FrameError:
    """Return the error for a file that does not contain exactly one frame."""
    return FrameError(f"{path}: has {found}; expected one 2-D frame. Export the frame to measure on its own.")
