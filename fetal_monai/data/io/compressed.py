"""Read compressed streams piece by piece and to the end, where the checksum is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fetal_monai.data.io.pixel_limit import max_decompressed_bytes

__all__ = ["ZLIB_OR_GZIP", "check_deflated_dicom", "check_gzip", "inflated"]

ZLIB_OR_GZIP = 47  # zlib recognises the format
_BARE_DEFLATE = -zlib.MAX_WBITS
_PIECE_BYTES = 1 << 20
# Preamble, "DICM", and the element that states the length of the rest of the meta information.
_DICOM_META_START = 128 + 4 + 12


def inflated(file: BinaryIO, wbits: int) -> Iterator[bytes]:
    """Decompress a file from its current position, in pieces of at most 1 MiB.

    Args:
        file: The compressed file.
        wbits: The format, see `zlib.decompressobj`.

    Raises:
        zlib.error: The stream is damaged, or its checksum is wrong.
        EOFError: The file ends before the stream does.
    """
    stream = zlib.decompressobj(wbits)
    while not stream.eof:
        packed = stream.unconsumed_tail or file.read(_PIECE_BYTES)
        piece = stream.decompress(packed, _PIECE_BYTES)
        if not (packed or piece or stream.eof):
            raise EOFError("its compressed data end too early")
        if piece:
            yield piece


def check_gzip(path: Path) -> None:
    """Read a gzip file to the end, to verify its checksum: nibabel stops at the last pixel.

    Raises:
        OSError: The file is damaged (zlib.error and EOFError too).
        ValueError: The content is longer than `max_decompressed_bytes`.
    """
    with gzip.open(path) as file:
        _check_length(path, iter(lambda: file.read(_PIECE_BYTES), b""))


def check_deflated_dicom(path: Path) -> None:
    """Check a DICOM file in Deflated Explicit VR Little Endian, which pydicom decompresses without any check.

    Raises:
        ValueError: The content is longer than `max_decompressed_bytes`.
        zlib.error: The file is damaged (EOFError too).
    """
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    with path.open("rb") as file:
        file.seek(_DICOM_META_START + meta.FileMetaInformationGroupLength)
        _check_length(path, inflated(file, _BARE_DEFLATE))


def _check_length(path: Path, pieces: Iterable[bytes]) -> None:
    length, limit = 0, max_decompressed_bytes(path)
    for piece in pieces:
        length += len(piece)
        if length > limit:
            raise ValueError(f"it holds more than {limit:,} bytes once decompressed")
