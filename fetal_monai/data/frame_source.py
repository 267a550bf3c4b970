"""All frames of files and folders, stills and loops alike, each with its scale: decoded once, one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fetal_monai.data.frame_scale import FrameScale, FrameScales
from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.data.io.cine.source_files import source_files
from fetal_monai.data.io.cine.suffix import VIDEO_SUFFIXES, cine_suffix
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame, blank_pixels
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import DICOM_SUFFIXES, METAIMAGE_SUFFIXES
from fetal_monai.data.rejected import Rejected
from fetal_monai.data.unusable_names import unusable_names

_MAY_HOLD_A_LOOP = VIDEO_SUFFIXES + DICOM_SUFFIXES + METAIMAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One frame of a still or a loop.

    Attributes:
        file: Its file.
        frame: Its pixels and header.
        scale: The size of its pixels.
        index: Its place in the loop, from 0; 0 for a still.
        is_still: Whether the file holds this frame only.
        time_s: Seconds from the loop's first frame, or None when the file states no time.
        frame_rate_hz: Frames a second of the loop, or None when the file does not state it.
    """

    file: Path
    frame: Frame
    scale: FrameScale
    index: int = 0
    is_still: bool = True
    time_s: float | None = None
    frame_rate_hz: float | None = None

    def without_pixels(self) -> SourceFrame:
        """Return what remains of the frame when it has been resized for a network."""
        return replace(self, frame=replace(self.frame, pixels=np.empty((0, 0), np.float32)))


@dataclass(frozen=True)
class FrameSource:
    """Frames of stills and cine loops. Iterating decodes them one by one; nothing is kept in memory.

    Iterating gives a `SourceFrame` for each frame, and a `Rejected` for each file that cannot be read, or not to its
    end, and for each frame without content: a batch goes on.

    Attributes:
        files: The files, in the order of the frames.
        source_dir: The folder that their names are relative to.
        scales: The pixel spacing of the frames.
        rejected_rows: The rows of the table without a file.
        unusable: What is wrong with the names of some files, see `unusable_names`.
        retrieve: Makes a file that is elsewhere, just before it is read; None if the files are there. An `OSError` that
            it raises rejects the file.
    """

    files: Sequence[Path]
    source_dir: Path
    scales: FrameScales
    rejected_rows: Sequence[Rejected] = ()
    unusable: Mapping[Path, str] = field(default_factory=dict)
    retrieve: Callable[[Path], None] | None = None

    def part(self, number: int, count: int) -> FrameSource:
        """Return every `count`-th file, from the `number`-th on: parts 1 to `count` are all of them, each once."""
        rows = self.rejected_rows if number == 1 else ()
        return replace(self, files=self.files[number - 1 :: count], rejected_rows=rows)

    def without(self, files: Collection[Path]) -> FrameSource:
        """Return all but some files."""
        return replace(self, files=[file for file in self.files if file not in files])

    def only(self, files: Sequence[Path]) -> FrameSource:
        """Return some of the files, without what is known of the others: small enough to be sent to another process."""
        unusable = {file: self.unusable[file] for file in files if file in self.unusable}
        return replace(self, files=files, scales=self.scales.only(files), rejected_rows=(), unusable=unusable)

    def __iter__(self) -> Iterator[SourceFrame | Rejected]:
        yield from self.rejected_rows
        for file in self.files:
            try:
                if file in self.unusable:
                    raise FrameError(self.unusable[file])
                if self.retrieve is not None:
                    self.retrieve(file)
                yield from self._frames(file)
            except (FrameError, OSError) as error:
                yield Rejected(file, str(error).removeprefix(f"{file}: "))

    def _frames(self, file: Path) -> Iterator[SourceFrame | Rejected]:
        if cine_suffix(file) not in _MAY_HOLD_A_LOOP or (cine := open_cine(file)).frame_count == 1:
            frame = read_frame(file)
            if problem := blank_pixels(frame.pixels):
                raise FrameError(f"{problem} Export the frame again.")
            yield SourceFrame(file, frame, self.scales.of(file, frame))
            return
        scale = None
        for decoded in cine:
            frame = Frame(decoded.pixels, cine.pixel_spacing_mm, cine.ultrasound_regions, cine.study)
            scale = scale or self.scales.of(file, frame)
            if problem := blank_pixels(frame.pixels):
                yield Rejected(file, f"{problem} Export the loop again.", decoded.index)
            else:
                yield SourceFrame(file, frame, scale, decoded.index, False, decoded.time_s, cine.frame_rate_hz)


def open_frame_source(
    sources: Sequence[str | Path],
    *,
    pixel_spacing_mm: float | Sequence[float] | None = None,
    table: str | Path | None = None,
    override_pixel_spacing: bool = False,
) -> FrameSource:
    """List the frames in files and folders; none is opened yet.

    Args:
        sources: Files and folders, see `source_files`.
        pixel_spacing_mm: See `FrameScales`, as for the other arguments.
        table: See there.
        override_pixel_spacing: See there.

    Raises:
        FileNotFoundError: A source or the table does not exist.
        ValueError: A folder holds no frame, or `FrameScales` refuses an argument.
        TypeError: `override_pixel_spacing` is neither True nor False.
    """
    scales = FrameScales(pixel_spacing_mm=pixel_spacing_mm, table=table, override_pixel_spacing=override_pixel_spacing)
    files, source_dir = source_files(sources)
    rejected_rows = scales.match(files, source_dir)
    if not any(Path(source).expanduser().is_dir() for source in sources):
        rejected_rows = []  # the table may well cover more than the files asked for
    return FrameSource(files, source_dir, scales, rejected_rows, unusable_names(files, source_dir))
