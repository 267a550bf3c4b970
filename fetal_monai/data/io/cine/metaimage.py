"""Cine loops as stacks of frames in MetaImage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fetal_monai.data.io.cine.loop import Cine, CineError, Decoded
from fetal_monai.data.io.frame import usable_spacing
from fetal_monai.data.io.metaimage import open_metaimage


def open_metaimage_cine(path: Path) -> Cine:
    """Open a MetaImage file of one frame or of a stack along the third axis.

    Args:
        path: The header, or header and pixels in one file.

    Raises:
        FrameError: The file is damaged, has too many pixels per frame, or has more than three axes.
    """
    image = open_metaimage(path)
    if any(length != 1 for length in image.size[3:]):
        raise CineError(
            f"{path}: has size {' x '.join(map(str, image.size))}; expected a stack of 2-D frames (x, y, frame)."
        )
    frame_count = image.size[2] if len(image.size) > 2 else 1
    spacing = image.spacing_mm and usable_spacing(image.spacing_mm)

    def decode() -> Iterator[Decoded]:
        for pixels in image.frames():
            yield pixels, None

    return Cine(path, decode, frame_count, None, spacing)
