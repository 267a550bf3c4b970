"""A video of pictures."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from fetal_monai.files import atomic_path

_USUAL_RATE_HZ = 25.0


class PictureVideo:
    """An MP4 (H.264) that grows by one picture at a time and takes its name when it is closed.

    Args:
        path: Path of the video.
        rate_hz: Pictures per second; None gives 25.
    """

    def __init__(self, path: Path, rate_hz: float | None) -> None:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(path))
            self._container = stack.enter_context(av.open(str(temporary), "w"))
            self._rest = stack.pop_all()
        self._stream = self._container.add_stream(
            "libx264", rate=Fraction(rate_hz or _USUAL_RATE_HZ).limit_denominator(1001)
        )
        self._stream.pix_fmt = "yuv420p"
        self._size: tuple[int, int] | None = None

    def add(self, picture: Image.Image) -> None:
        """Append a picture; all are shown in the size of the first."""
        if self._size is None:
            # Colour has half the resolution: sides must be even.
            self._size = (picture.width // 2 * 2, picture.height // 2 * 2)
            self._stream.width, self._stream.height = self._size
        frame = av.VideoFrame.from_image(picture.crop((0, 0, *self._size)))
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write the remaining frames and give the file its name."""
        with self._rest:
            self._container.mux(self._stream.encode())

    def discard(self, error: BaseException) -> None:
        """Leave no file, after an error."""
        with suppress(Exception):  # the container may meet the same error when it is closed
            self._rest.__exit__(type(error), error, error.__traceback__)
