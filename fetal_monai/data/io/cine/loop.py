"""A cine loop of any file format, whose frames are decoded one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.io.decoding import FrameError, decoder_reason
from fetal_monai.data.io.frame import Spacing, unusable_pixels
from fetal_monai.geometry import UltrasoundRegion


class CineError(FrameError):
    """A cine loop that cannot be read completely. The message names the file, the frame and how to fix it."""


@dataclass(frozen=True, slots=True)
class CineFrame:
    """One frame of a cine loop.

    Attributes:
        index: Position in the loop, from 0.
        pixels: float32 array (H, W), row 0 at the top, in the file's own grey levels.
        time_s: Seconds since the first frame, or None if the file states no times.
    """

    index: int
    pixels: NDArray[np.float32]
    time_s: float | None


@dataclass(frozen=True, slots=True)
class Damaged:
    """Replaces the pixels of a frame that cannot be decoded, while later frames may be readable.

    Attributes:
        reason: What the decoder found wrong.
    """

    reason: str


Decoded: TypeAlias = tuple[NDArray[np.float32] | Damaged, float | None]


@dataclass(frozen=True)
class Cine:
    """A cine loop on disk. Each iteration opens the file again and yields `CineFrame`s; one at a time is in memory.

    Every frame that can be decoded is returned. If others cannot be decoded, or the file ends early, `CineError` is
    raised after the last one.

    Attributes:
        path: The file.
        decode: Opens the file and yields the pixels and the time of each frame. An exception ends the loop.
        frame_count: Number of frames that the file states, or None.
        frame_rate_hz: Frames per second that the file states, or None.
        pixel_spacing_mm: (row, column) spacing in mm, or None if the file states none or several.
        ultrasound_regions: The regions that a DICOM file states, see `fetal_monai.data.Frame`.
        study: The patient and the study that a DICOM file states: personal data, which `repr` does not show.
    """

    path: Path
    decode: Callable[[], Iterator[Decoded]]
    frame_count: int | None
    frame_rate_hz: float | None
    pixel_spacing_mm: Spacing | None
    ultrasound_regions: tuple[UltrasoundRegion, ...] = ()
    study: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __iter__(self) -> Iterator[CineFrame]:
        decoded = self.decode()
        damaged: dict[int, str] = {}
        for index in count():
            try:
                pixels, time_s = next(decoded)
            except StopIteration:
                self._check_complete(index, damaged)
                return
            # All exceptions, because each library raises its own on damaged files, see `decoding`.
            except Exception as error:
                raise CineError(
                    f"{self.path}: frame {index}{self._of_count()} cannot be decoded "
                    f"({decoder_reason(error, self.path)}); export or copy the loop again."
                ) from error
            if isinstance(pixels, Damaged):
                damaged[index] = pixels.reason
                continue
            if problem := unusable_pixels(pixels):
                raise CineError(f"{self.path}: frame {index}{self._of_count()}: {problem}")
            yield CineFrame(index, pixels, time_s)

    def _of_count(self) -> str:
        counted = f", of {self.frame_count}" if self.frame_count is not None else ""
        return f" (from 0{counted})"

    def _check_complete(self, decoded: int, damaged: Mapping[int, str]) -> None:
        if not decoded:
            raise CineError(f"{self.path}: holds no frame; export or copy the loop again.")
        missing = range(decoded, self.frame_count or 0)
        if damaged:
            raise CineError(
                f"{self.path}: {_listed([*damaged, *missing])}{self._of_count()} cannot be decoded "
                f"({next(iter(damaged.values()))}); export or copy the loop again."
            )
        if missing:
            raise CineError(
                f"{self.path}: ends at frame {decoded}{self._of_count()}, so it was cut off; copy the loop again."
            )


def _listed(frames: Sequence[int]) -> str:
    """Describe ascending frame numbers: "frame 5", "frames 5 to 11 and 40"."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    words = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    together = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    return f"{'frame' if len(frames) == 1 else 'frames'} {together}"
