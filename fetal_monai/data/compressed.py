"""Compressed streams, read piece by piece and to their end, where their checksum is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["ZLIB_OR_GZIP", "inflated"]

ZLIB_OR_GZIP = 47  # zlib tells the format from the data
_PIECE_BYTES = 1 << 20


def inflated(file: BinaryIO, wbits: int) -> Iterator[bytes]:
    """The decompressed content from the file's position on, in pieces of at most 1 MiB.

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
