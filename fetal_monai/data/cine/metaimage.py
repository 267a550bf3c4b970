"""Cine loops as stacks of frames in MetaImage."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import itk

from fetal_monai.data.cine.loop import Cine, CineError, Decoded
from fetal_monai.data.frame import (
    check_metaimage_header,
    decoding,
    read_metaimage_header,
    states_spacing,
    usable_spacing,
)

CHUNK_BYTES = 1 << 16  # black frames come out a thousand times larger
ZLIB_OR_GZIP = 47  # what MetaIO passes to inflateInit2: the format is told from the data


def open_metaimage_cine(path: Path) -> Cine:
    """Open a MetaImage file of one frame or of a stack along the third axis.

    Args:
        path: the header, or header and pixels in one file.

    Raises:
        FrameError: the file is damaged, or has more axes.
    """
    header = read_metaimage_header(path)
    check_metaimage_header(path, header)
    with decoding(path):
        size = [int(length) for length in header["DimSize"].split()]
        if len(size) < 2 or any(length != 1 for length in size[3:]):
            raise CineError(
                f"{path}: has size {' x '.join(map(str, size))}; expected a stack of 2-D frames (x, y, frame)."
            )
        frame_count = size[2] if len(size) > 2 else 1
        column, row = (float(length) for length in list(_stack_reader(path).GetOutput().GetSpacing())[:2])
        spacing = usable_spacing((row, column)) if states_spacing(header) else None

    def decode() -> Iterator[Decoded]:
        with _uncompressed(path, header) as readable:
            reader = _stack_reader(readable)  # by name: ITK's pipeline keeps no hold of it
            slices = itk.ExtractImageFilter[itk.Image[itk.F, 3], itk.Image[itk.F, 2]].New(reader)
            slices.SetDirectionCollapseToSubmatrix()
            for index in range(frame_count):
                slices.SetExtractionRegion(itk.ImageRegion[3]([0, 0, index], [*size[:2], 0]))
                slices.Update()
                yield itk.array_from_image(slices.GetOutput()), None

    return Cine(path, decode, frame_count, None, spacing)


def _stack_reader(path: Path) -> itk.ImageFileReader:
    """A reader that takes from the file what is asked of it, as float (colour becomes luminance, ITU-R BT.709)."""
    metaimage = itk.MetaImageIO.New()
    metaimage.SetUseStreamedReading(True)
    reader = itk.ImageFileReader[itk.Image[itk.F, 3]].New(FileName=str(path), ImageIO=metaimage)
    reader.UpdateOutputInformation()
    return reader


@contextmanager
def _uncompressed(path: Path, header: dict[str, str]) -> Iterator[Path]:
    """Give a file that ITK can read in parts: the stack itself, or a copy when its pixels are compressed.

    ITK loads compressed pixels whole. The copy takes room on disk instead, for as long as the loop is read.
    """
    data_file = header["ElementDataFile"]
    local = data_file.upper() == "LOCAL"
    if header.get("CompressedData", "False").lower() != "true":
        yield path
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        (path if local else path.parent / data_file).open("rb") as packed,
    ):
        if local:
            while not packed.readline().startswith(b"ElementDataFile"):
                pass
        copy = Path(folder, "stack.mhd")
        stated = {key: value for key, value in header.items() if not key.startswith("CompressedData")}
        copy.write_text(
            "".join(f"{key} = {value}\n" for key, value in {**stated, "ElementDataFile": "stack.raw"}.items())
        )
        inflate = zlib.decompressobj(wbits=ZLIB_OR_GZIP)
        # What is damaged ends the copy there, so that the frames before it are read.
        with copy.with_suffix(".raw").open("wb") as pixels, suppress(zlib.error):
            while chunk := packed.read(CHUNK_BYTES):
                pixels.write(inflate.decompress(chunk))
        yield copy
