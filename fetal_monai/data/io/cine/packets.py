"""Decode the packets of a video one by one, with all problems that the decoder reports."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fetal_monai.data.io.cine.loop import CineError
from fetal_monai.data.io.pixel_limit import max_pixels

_PADDING_PIXELS = 1 << 20
_LARGEST_DECODER_LIMIT = (1 << 31) - 1
_UNEXPLAINED = "damaged, and concealed by the decoder"


@dataclass(frozen=True, slots=True)
class DecodedPacket:
    """One packet of a video, with one coded picture, and the output of the decoder for it.

    Attributes:
        place: Position in the file, from 0. Pictures are stored in the order in which they are decoded.
        is_key: The picture is not predicted from another one.
        is_discarded: The picture is decoded but not shown.
        time_s: Time at which the picture is shown; infinity if the file does not state it.
        frames: The decoded pictures by the position of their packets, which may be earlier ones: pictures may be shown
            in another order than they are stored.
        problems: Problems by the position of the packet.
    """

    place: int
    is_key: bool
    is_discarded: bool
    time_s: float
    frames: dict[int, VideoFrame]
    problems: dict[int, str]


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video stream of a file.

    Raises:
        CineError: There is no video stream, or its codec is unknown.
    """
    if not container.streams.video:
        raise CineError(f"{path}: holds no pictures, only {len(container.streams)} other streams; export it again.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise CineError(f"{path}: its pictures are in a codec that FFmpeg does not know; export it again as AVI.")
    return stream


def decode_packets(path: Path) -> Iterator[DecodedPacket]:
    """Decode a video from the beginning and continue after packets that cannot be decoded."""
    with av.open(str(path)) as container:
        stream = picture_stream(container, path)
        context = stream.codec_context
        # With threads, the H.264 decoder does not check for missing blocks.
        context.thread_type, context.thread_count = "NONE", 1
        # A later picture may be larger than the file states. FFmpeg's limit includes the padding of its buffers.
        decoder_limit = min(2 * max_pixels(path) + _PADDING_PIXELS, _LARGEST_DECODER_LIMIT)
        context.options = {"err_detect": "crccheck", "max_pixels": str(decoder_limit)}
        packets = container.demux(stream)
        for place in count():
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                yield DecodedPacket(place, False, False, math.inf, {}, {place: str(error.strerror)})
                return
            if packet is None:
                return
            yield _decoded(packet, place)


def _decoded(packet: Packet, place: int) -> DecodedPacket:
    time_s = math.inf if packet.pts is None else float(packet.pts * packet.time_base)
    # The last packet is empty: it flushes the decoder.
    own = place if packet.size else place - 1
    decoded: list[VideoFrame] = []
    problems: dict[int, str] = {}
    packet.pts = place  # the decoder copies it to the picture
    with _error_log() as messages:
        try:
            decoded = packet.decode()
        except av.FFmpegError as error:
            problems[own] = str(error.strerror)
    # Some decoders only log problems, for example FFV1 a wrong checksum.
    if messages:
        problems[own] = messages[0].strip().rstrip(".")
    if packet.is_corrupt:
        problems[own] = "the file ends within it"
    frames = {frame.pts: frame for frame in decoded if frame.pts is not None}
    for origin, frame in frames.items():
        if frame.is_corrupt:
            problems.setdefault(origin, _UNEXPLAINED)
    return DecodedPacket(place, packet.is_keyframe, packet.is_discard, time_s, frames, problems)


@contextmanager
def _error_log() -> Iterator[list[str]]:
    """Collect the errors that FFmpeg logs in the block; the list is filled at its end."""
    errors: list[str] = []
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as records:
            yield errors
        errors += [message for _, _, message in records]
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)
