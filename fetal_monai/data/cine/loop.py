"""A cine loop whose frames are decoded one by one, whatever its file format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.decoding import FrameError, decoder_reason
from fetal_monai.data.frame import Spacing, unusable_pixels


class CineError(FrameError):
    """A cine loop that cannot be read, or not to its end: the message names the file, the frame and the mend."""


@dataclass(frozen=True, slots=True)
class CineFrame:
    """One frame of a cine loop.

    Attributes:
        index: its place in the loop, from 0.
        pixels: float32 array (H, W), row 0 at the top, in the file's own grey levels.
        time_s: seconds from the first frame, or None when the file states no time.
    """

    index: int
    pixels: NDArray[np.float32]
    time_s: float | None


Decoded: TypeAlias = tuple[NDArray[np.float32], float | None]


@dataclass(frozen=True)
class Cine:
    """A cine loop on disk. Iterating opens the file anew and gives `CineFrame`s, of which one at a time is in memory.

    Iterating raises `CineError` at the frame that cannot be decoded, or where the file ends before its header says
    so; the frames before it have been given by then.

    Attributes:
        path: the file.
        decode: opens the file and gives the pixels and the time of one frame after the other.
        frame_count: how many frames the file states, or None when it does not.
        frame_rate_hz: frames a second as the file states, or None when it does not.
        pixel_spacing_mm: (row, column) spacing in mm, or None when the file does not state it.
    """

    path: Path
    decode: Callable[[], Iterator[Decoded]]
    frame_count: int | None
    frame_rate_hz: float | None
    pixel_spacing_mm: Spacing | None

    def __iter__(self) -> Iterator[CineFrame]:
        decoded = self.decode()
        for index in count():
            try:
                pixels, time_s = next(decoded)
            except StopIteration:
                self._check_complete(index)
                return
            # Every exception: each library raises its own kinds on damaged bytes, see `decoding`.
            except Exception as error:
                raise CineError(
                    f"{self.path}: frame {index}{self._of_count()} cannot be decoded "
                    f"({decoder_reason(error, self.path)}); export or copy the loop again."
                ) from error
            if problem := unusable_pixels(pixels):
                raise CineError(f"{self.path}: frame {index}{self._of_count()}: {problem}")
            yield CineFrame(index, pixels, time_s)

    def _of_count(self) -> str:
        counted = f", of {self.frame_count}" if self.frame_count is not None else ""
        return f" (from 0{counted})"

    def _check_complete(self, decoded: int) -> None:
        if not decoded:
            raise CineError(f"{self.path}: holds no frame; export or copy the loop again.")
        if self.frame_count is not None and decoded < self.frame_count:
            raise CineError(
                f"{self.path}: ends at frame {decoded}{self._of_count()}, so it was cut off; copy the loop again."
            )
