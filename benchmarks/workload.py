"""The frames that the benchmarks measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from fetal_monai.data import read_frame
from fetal_monai.data.frame_source import FrameSource, SourceFrame, open_frame_source
from fetal_monai.phantom import write_phantoms


@dataclass(frozen=True)
class Workload:
    """A number of stills.

    Attributes:
        folder: A folder of stills. Where it has too few, they are repeated.
        table: CSV with the pixel spacing of each still, or None: then nothing is in mm.
        count: Number of stills.
    """

    folder: Path
    table: Path | None
    count: int

    def source(self) -> FrameSource:
        """The frames; each iteration decodes them anew."""
        source = open_frame_source([self.folder], table=self.table)
        return replace(source, files=list(islice(cycle(source.files), self.count)), rejected_rows=())

    def decoded(self) -> list[SourceFrame]:
        """The frames in memory."""
        return [frame for frame in self.source() if isinstance(frame, SourceFrame)]


@contextmanager
def workload(folder: Path | None, table: Path | None, count: int) -> Iterator[Workload]:
    """Give the frames of a folder, or simulated ones if there is none."""
    if folder is not None:
        yield Workload(folder, table, count)
        return
    with TemporaryDirectory() as temporary:
        phantoms = Path(temporary) / "phantoms"
        write_phantoms(phantoms, count=1, test_count=count)
        yield Workload(phantoms / "test_set", phantoms / "test_set_pixel_size.csv", count)


def resized(frames: Workload, scale: float, folder: Path) -> Workload:
    """Write the frames in another size, as PNG; their pixel spacing is not known."""
    for number, file in enumerate(frames.source().files):
        picture = Image.fromarray(read_frame(file).pixels).convert("L")
        size = (round(scale * picture.width), round(scale * picture.height))
        picture.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return Workload(folder, None, frames.count)
