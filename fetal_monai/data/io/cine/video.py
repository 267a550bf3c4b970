"""Cine loops in AVI and MP4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from fetal_monai.data.io.cine.loop import Cine, Damaged, Decoded
from fetal_monai.data.io.cine.packets import decode_packets, picture_stream
from fetal_monai.data.io.cine.video_damage import survey
from fetal_monai.data.io.decoding import decoding
from fetal_monai.data.io.pixel_limit import check_pixel_count


def open_video_cine(path: Path) -> Cine:
    """Open a video in any codec that FFmpeg decodes.

    It is decoded twice, the first time to find damage: pictures that are predicted from a damaged one may be shown
    before it.

    Args:
        path: The file.

    Raises:
        FrameError: The file is damaged, contains no pictures, or has too many pixels.
    """
    with decoding(path), av.open(str(path)) as container:
        stream = picture_stream(container, path)
        check_pixel_count(path, stream.height, stream.width)
        frame_count = _frame_count(container, stream)
        rate_hz = float(stream.average_rate) if stream.average_rate else None

    def decode() -> Iterator[Decoded]:
        pictures = survey(decode_packets(path))
        decoded = ((place, frame) for packet in decode_packets(path) for place, frame in packet.frames.items())
        for picture in pictures:
            if picture.problem:
                yield Damaged(picture.problem), picture.time_s
            else:
                frame = next(frame for place, frame in decoded if place == picture.place)
                yield frame.to_ndarray(format="gray").astype(np.float32), picture.time_s

    return Cine(path, decode, frame_count, rate_hz, None)


def _frame_count(container: InputContainer, stream: VideoStream) -> int | None:
    if not stream.frames:
        return None
    if "mp4" in container.format.name.split(","):
        # The header also counts frames that an edit list leaves out.
        return sum(not entry.is_discard for entry in stream.index_entries)
    return stream.frames
