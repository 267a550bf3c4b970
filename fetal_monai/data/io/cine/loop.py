"""A cine loop whose frames are decoded one by one, whatever its file format."""

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
    """A cine loop that cannot be read, or not to its end: the message names the file, the frame and how to fix it."""


@dataclass(frozen=True, slots=True)
class CineFrame:
    """One frame of a cine loop.

    Attributes:
        index: Its place in the loop, from 0.
        pixels: float32 array (H, W), row 0 at the top, in the file's own grey levels.
        time_s: Seconds from the first frame, or None when the file states no time.
    """

    index: int
    pixels: NDArray[np.float32]
    time_s: float | None


@dataclass(frozen=True, slots=True)
class Damaged:
    """Stands in for the pixels of a frame that cannot be decoded, where the frames after it may be.

    Attributes:
        reason: What the decoder found wrong.
    """

    reason: str


Decoded: TypeAlias = tuple[NDArray[np.float32] | Damaged, float | None]


@dataclass(frozen=True)
class Cine:
    """A cine loop on disk. Iterating opens the file again and gives `CineFrame`s, of which one at a time is in memory.

    Iterating gives every frame that can be decoded. Where others cannot, or the file ends before its header says so,
    it raises `CineError` after the last one.

    Attributes:
        path: The file.
        decode: Opens the file and gives the pixels and the time of one frame after the other. What it raises ends the
            loop.
        frame_count: How many frames the file states, or None when it does not.
        frame_rate_hz: Frames a second as the file states, or None when it does not.
        pixel_spacing_mm: (row, column) spacing in mm, or None when the file does not state it or states several.
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
            # Every exception: each library raises its own kinds on damaged bytes, see `decoding`.
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
    """Ascending numbers in words: "frame 5", "frames 5 to 11 and 40"."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    words = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    together = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    return f"{'frame' if len(frames) == 1 else 'frames'} {together}"
