"""Read MetaImage (.mha, .mhd): a header of ``key = value`` lines, then the pixels in the same file or another.

ITK is not used: it returns uninitialised memory if the pixels cannot be decompressed or are missing, and passes the
name of the data file to a C formatting function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.io.compressed import ZLIB_OR_GZIP, inflated
from fetal_monai.data.io.decoding import FrameError, decoding
from fetal_monai.data.io.luminance import BT_709, luminance
from fetal_monai.data.io.pixel_limit import check_pixel_count

__all__ = ["MetaImage", "open_metaimage", "read_metaimage_header"]

# The sizes are MetaIO's own: its "long" has 4 bytes on every platform.
_ELEMENT_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_POSITIONS = ("Offset", "Position", "Origin")
_MAX_HEADER_BYTES = 1 << 24  # recordings have lines for each frame
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class MetaImage:
    """What the header of a MetaImage file states, checked.

    Attributes:
        size: Lengths of the two or more axes, x first.
        spacing_mm: (row, column) spacing in mm, or None if the header states none.
        data_file: The file with the pixels.
        pixels_start: Position of the first pixel in that file, in bytes.
        compressed: Whether the pixels are a zlib or gzip stream.
        text: Whether the pixels are numbers in ASCII.
        dtype: Type of the stored values.
        channels: Values per pixel: 1, or 3 for colour.
        cut_off: Whether the data file holds fewer compressed bytes than the header states.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, float] | None
    data_file: Path
    pixels_start: int
    compressed: bool
    text: bool
    dtype: np.dtype[Any]
    channels: int
    cut_off: bool

    def frames(self) -> Iterator[NDArray[np.float32]]:
        """Yield the frames (H, W) one by one; colour is converted to luminance (ITU-R BT.709, as in ITK).

        Compressed pixels are decompressed twice: the checksum comes last, and no frame is returned before it is
        verified. A file that is shorter than its header states has no checksum; the complete frames are returned. A
        stream that does not end, in a file of the stated length or of unstated length, is damaged; no frame is
        returned.

        Raises:
            ValueError: The data file does not contain what the header states.
            zlib.error: The compressed pixels are damaged.
            EOFError: The compressed pixels are cut off.
        """
        values, count, found = math.prod(self.size[:2]) * self.channels, math.prod(self.size[2:]), 0
        with self.data_file.open("rb") as file:
            whole = not self.compressed or self._is_whole_stream(file)
            file.seek(self.pixels_start)
            for block in islice(self._blocks(file, values), count):
                yield self._gray(block)
                found += 1
        if found < count:
            raise ValueError(f"its pixel data end in frame {found} (from 0), of {count}")
        if not whole:
            raise EOFError("its compressed pixels end before their checksum")

    def _is_whole_stream(self, file: BinaryIO) -> bool:
        stated, length = math.prod(self.size) * self.channels * self.dtype.itemsize, 0
        file.seek(self.pixels_start)
        try:
            for piece in inflated(file, ZLIB_OR_GZIP):
                length += len(piece)
                if length > stated:
                    raise ValueError(f"its compressed pixels are more than the {stated} bytes that the header states")
        except EOFError:
            if not self.cut_off:
                raise
            return False
        return True

    def _blocks(self, file: BinaryIO, values: int) -> Iterator[NDArray[Any]]:
        """Yield the values of each complete frame from the current position in the file."""
        if self.text:
            while (block := np.fromfile(file, np.float64, values, sep=" ")).size == values:
                yield block
            return
        block_bytes, buffer = values * self.dtype.itemsize, bytearray()
        pieces: Iterable[bytes] = (
            inflated(file, ZLIB_OR_GZIP) if self.compressed else iter(lambda: file.read(_PIECE_BYTES), b"")
        )
        for piece in pieces:
            buffer += piece
            while len(buffer) >= block_bytes:
                yield np.frombuffer(buffer[:block_bytes], self.dtype)
                del buffer[:block_bytes]

    def _gray(self, block: NDArray[Any]) -> NDArray[np.float32]:
        width, height = self.size[:2]
        if self.channels == 1:
            return block.reshape(height, width).astype(np.float32)
        return luminance(block.reshape(height, width, self.channels), BT_709)


def open_metaimage(path: Path) -> MetaImage:
    """Read and check the header of a MetaImage file.

    Args:
        path: The header, or header and pixels in one file.

    Raises:
        FrameError: The header is damaged or not supported (several data files, or values that are neither gray nor
            colour), a frame has too many pixels, or the data file is missing or outside the header's folder.
    """
    header, header_end = _read_header(path)
    size = _size(path, header)
    check_pixel_count(path, size[1], size[0])
    channels = header.get("ElementNumberOfChannels", "1")
    if channels not in ("1", "3"):
        raise FrameError(f"{path}: {channels} values per pixel; expected 1 (gray) or 3 (red, green, blue).")
    element_type = header.get("ElementType", "")
    code = _ELEMENT_TYPES.get(element_type.removesuffix("_ARRAY"))  # an older name for colour
    if code is None:
        raise FrameError(f"{path}: ElementType is {element_type!r}; expected one of {', '.join(_ELEMENT_TYPES)}.")
    most_significant_first = _is_true(header, "BinaryDataByteOrderMSB", _is_true(header, "ElementByteOrderMSB"))
    dtype = np.dtype(code).newbyteorder(">" if most_significant_first else "<")
    text = not _is_true(header, "BinaryData", True)
    compressed = _is_true(header, "CompressedData") and not text

    local = header["ElementDataFile"].upper() == "LOCAL"
    data_file = path if local else _data_file(path, header["ElementDataFile"])
    stated_bytes = None if compressed or text else math.prod(size) * int(channels) * dtype.itemsize
    file_bytes = data_file.stat().st_size
    start = _pixels_start(path, header, header_end if local else 0, file_bytes, stated_bytes)
    compressed_bytes = header.get("CompressedDataSize", "")
    cut_off = compressed and compressed_bytes.isdecimal() and file_bytes - start < int(compressed_bytes)
    return MetaImage(size, _spacing(path, header), data_file, start, compressed, text, dtype, int(channels), cut_off)


def read_metaimage_header(path: Path) -> dict[str, str]:
    """Read the ``key = value`` lines of a MetaImage header, of which ElementDataFile is the last.

    Raises:
        FrameError: The file does not start with such a header.
    """
    return _read_header(path)[0]


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """Read the lines of the header and their length in bytes."""
    header: dict[str, str] = {}
    with path.open("rb") as file:
        while (line := file.readline(4096)) and file.tell() < _MAX_HEADER_BYTES:
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if not equals:
                break
            header[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                return header, file.tell()
    raise FrameError(f"{path}: no MetaImage header (no ElementDataFile line); export the frame again.")


def _size(path: Path, header: Mapping[str, str]) -> tuple[int, ...]:
    lengths = header.get("DimSize", "").split()
    if (
        not all(length.isdecimal() for length in lengths)
        or header.get("NDims") != str(len(lengths))
        or len(lengths) < 2
    ):
        raise FrameError(
            f"{path}: NDims is {header.get('NDims')!r} and DimSize is {header.get('DimSize')!r}; expected the number "
            "of axes, two or more, and as many whole numbers. Export the frame again."
        )
    return tuple(int(length) for length in lengths)


def _spacing(path: Path, header: Mapping[str, str]) -> tuple[float, float] | None:
    for key in _POSITIONS:
        if key in header:
            _two_numbers(path, header, key)
    key = "ElementSpacing" if "ElementSpacing" in header else "ElementSize"
    if key not in header:
        return None
    column, row = _two_numbers(path, header, key)
    if not (column and row):
        raise FrameError(f"{path}: a spacing of zero ({key} = {header[key]}); correct the line or delete it.")
    return abs(row), abs(column)  # the sign is the direction


def _two_numbers(path: Path, header: Mapping[str, str], key: str) -> tuple[float, float]:
    try:
        first, second = (float(number) for number in header[key].split()[:2])
    except ValueError:
        first = second = math.nan
    if not (math.isfinite(first) and math.isfinite(second)):
        raise FrameError(f"{path}: {key} is {header[key]!r}; expected a number for each axis. Correct the line.")
    return first, second


def _is_true(header: Mapping[str, str], key: str, default: bool = False) -> bool:
    return header[key][:1] in ("T", "t", "1") if key in header else default  # as in MetaIO


def _data_file(path: Path, name: str) -> Path:
    if "%" in name or name.upper().split()[:1] == ["LIST"]:
        raise FrameError(
            f"{path}: its pixels are in several files (ElementDataFile = {name}); expected LOCAL or the name of one. "
            "Export the frame or loop into one file."
        )
    with decoding(path):
        data_file = (path.parent / name).resolve()
    if not data_file.is_relative_to(path.resolve().parent):
        raise FrameError(
            f"{path}: its data file {name} is outside the header's folder; put the file itself into the same folder."
        )
    if not data_file.is_file():
        raise FrameError(f"{path}: its data file {name} is missing; put it into the same folder.")
    return data_file


def _pixels_start(
    path: Path, header: Mapping[str, str], earliest: int, file_bytes: int, stated_bytes: int | None
) -> int:
    stated = header.get("HeaderSize", "0")
    if stated == "0":
        return earliest
    if stated == "-1" and stated_bytes is not None:  # the pixels are at the end of the file
        start = file_bytes - stated_bytes
    else:
        start = int(stated) if stated.isdecimal() else -1
    if not earliest <= start <= file_bytes:
        raise FrameError(
            f"{path}: HeaderSize is {stated!r}, which leaves no room for the pixels that the header states; "
            "correct the line or copy the file again."
        )
    return start
