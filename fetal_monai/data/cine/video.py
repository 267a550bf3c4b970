"""Cine loops in AVI and MP4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from fetal_monai.data.cine.loop import Cine, CineError, Decoded
from fetal_monai.data.frame import decoding


def open_video_cine(path: Path) -> Cine:
    """Open a video in any codec that FFmpeg decodes.

    Args:
        path: the file.

    Raises:
        FrameError: the file is damaged, or without pictures.
    """
    with decoding(path), av.open(str(path)) as container:
        stream = _picture_stream(container, path)
        frame_count = _frame_count(container, stream)
        rate_hz = float(stream.average_rate) if stream.average_rate else None

    def decode() -> Iterator[Decoded]:
        with av.open(str(path)) as container:
            stream = _picture_stream(container, path)
            # FFmpeg would paint over the damage that it notices, and nobody would know.
            stream.codec_context.options = {"err_detect": "explode"}
            first_s = None
            for frame in container.decode(stream):
                if frame.time is not None and first_s is None:
                    first_s = frame.time
                time_s = None if frame.time is None or first_s is None else frame.time - first_s
                yield frame.to_ndarray(format="gray").astype(np.float32), time_s

    return Cine(path, decode, frame_count, rate_hz, None)


def _picture_stream(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise CineError(f"{path}: holds no pictures, only {len(container.streams)} other streams; export it again.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise CineError(f"{path}: its pictures are in a codec that FFmpeg does not know; export it again as AVI.")
    return stream


def _frame_count(container: InputContainer, stream: VideoStream) -> int | None:
    if not stream.frames:
        return None
    if "mp4" in container.format.name.split(","):
        # Frames that an edit list leaves out are counted in the header too.
        return sum(not entry.is_discard for entry in stream.index_entries)
    return stream.frames
