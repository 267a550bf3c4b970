"""A still or a loop in memory: the frames that are shown and measured."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.data.frame_source import FrameSource, SourceFrame
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.reporting.gray_8_bit import gray_8_bit

Pixels: TypeAlias = NDArray[np.uint8 | np.float32]

_MAX_BYTES = 1_000_000_000
_KEPT_FILES = 6
_THUMBNAIL_PX = (96, 64)


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """The frames of a file.

    Attributes:
        path: The file.
        modified_ns: When it was last changed.
        frames: Gray levels (H, W) of each frame, or the reason why it cannot be shown.
        scale: The size of the pixels of all frames.
        times_s: Seconds of each frame since the first; None where the file states no time.
        frame_rate_hz: Of a loop, None when the file does not state it.
        problem: Why the file ends early; empty if it does not.
    """

    path: Path
    modified_ns: int
    frames: Sequence[Pixels | str]
    scale: FrameScale
    times_s: Sequence[float | None]
    frame_rate_hz: float | None
    problem: str = ""

    def pixels(self, index: int) -> Pixels:
        """Gray levels (H, W) of a frame.

        Raises:
            FrameError: It cannot be shown.
            IndexError: There is no such frame.
        """
        if not 0 <= index < len(self.frames):
            raise IndexError(f"There is no frame {index}: the file has {len(self.frames)}.")
        frame = self.frames[index]
        if isinstance(frame, str):
            raise FrameError(frame)
        return frame

    @property
    def size_bytes(self) -> int:
        """Memory of the frames."""
        return sum(frame.nbytes for frame in self.frames if not isinstance(frame, str))


class OpenedFiles:
    """Opens files, and keeps the last ones in memory.

    Args:
        source: States the scale of the files.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._opened: OrderedDict[tuple[Path, int, int], OpenedFile] = OrderedDict()
        self._lock = Lock()

    def open(self, path: Path) -> OpenedFile:
        """Return the frames of a file.

        Raises:
            FrameError: It cannot be read; the message does not name it.
        """
        stated = path.stat()
        key = (path, stated.st_mtime_ns, stated.st_size)
        with self._lock:  # two requests for one loop decode it once
            if key not in self._opened:
                self._opened[key] = _opened(self._of(path), stated.st_mtime_ns)
            self._opened.move_to_end(key)
            while len(self._opened) > 1 and (
                len(self._opened) > _KEPT_FILES or sum(each.size_bytes for each in self._opened.values()) > _MAX_BYTES
            ):
                self._opened.popitem(last=False)
            return self._opened[key]

    def first(self, path: Path) -> Pixels:
        """Return the first frame of a file that shows something.

        Raises:
            FrameError: There is none.
        """
        reasons = []
        for item in self._of(path):
            if isinstance(item, SourceFrame):
                return item.frame.pixels
            reasons.append(item.reason)
        raise FrameError(next(iter(reasons), "the file holds no frame."))

    def _of(self, path: Path) -> FrameSource:
        return replace(self._source, files=[path], rejected_rows=())


def picture(pixels: Pixels) -> bytes:
    """A frame as an 8-bit PNG of its own size."""
    return _png(Image.fromarray(gray_8_bit(pixels)))


def thumbnail(pixels: Pixels) -> bytes:
    """A small PNG of a frame."""
    image = Image.fromarray(gray_8_bit(pixels))
    image.thumbnail(_THUMBNAIL_PX)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", compress_level=1)
    return written.getvalue()


def _opened(source: FrameSource, modified_ns: int) -> OpenedFile:
    (path,) = source.files
    frames: list[Pixels | str] = []
    times: list[float | None] = []
    first: SourceFrame | None = None
    problem, size = "", 0
    for item in source:
        if isinstance(item, SourceFrame):
            first = first or item
            pixels = _compact(item.frame.pixels)
            size += pixels.nbytes
            if size > _MAX_BYTES:
                raise FrameError(
                    f"the loop takes more than {_MAX_BYTES / 1e9:g} GB in memory; measure it by `fetal-monai measure`."
                )
            frames.append(pixels)
            times.append(item.time_s)
        elif item.frame is None:
            problem = item.reason
        else:
            frames.append(item.reason)
            times.append(None)
    if first is None:
        raise FrameError(problem or _first_reason(frames))
    return OpenedFile(path, modified_ns, frames, first.scale, times, first.frame_rate_hz, problem)


def _first_reason(frames: Sequence[object]) -> str:
    return next((frame for frame in frames if isinstance(frame, str)), "the file holds no frame.")


def _compact(pixels: NDArray[np.float32]) -> Pixels:
    """The same values in 8 bits, where they fit."""
    if pixels.min() < 0 or pixels.max() > 255:
        return pixels
    as_bytes = pixels.astype(np.uint8)
    return as_bytes if np.array_equal(as_bytes, pixels) else pixels
