"""Open cine loops of all formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fetal_monai.data.io.cine.dicom import open_dicom_cine
from fetal_monai.data.io.cine.loop import Cine, Decoded
from fetal_monai.data.io.cine.metaimage import open_metaimage_cine
from fetal_monai.data.io.cine.suffix import CINE_SUFFIXES, VIDEO_SUFFIXES, cine_suffix
from fetal_monai.data.io.cine.video import open_video_cine
from fetal_monai.data.io.file_check import check_file
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import DICOM_SUFFIXES, METAIMAGE_SUFFIXES


def open_cine(path: str | Path) -> Cine:
    """Open a cine loop: its header is read, but no frame yet.

    Colour is converted to luminance as in `read_frame`. A loop is one of

    - DICOM with one or more frames. The frame rate is from ``FrameTime`` or the mean of ``FrameTimeVector``, otherwise
      from ``CineRate`` or ``RecommendedDisplayFrameRate``.
    - MetaImage, 2-D, or 3-D with the frames along the third axis. It states no frame rate: the spacing of that axis is
      not used consistently.
    - AVI or MP4, in 8 bits. They state no pixel spacing.
    - any other frame that `read_frame` reads: a loop of one frame.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: The file does not exist.
        FrameError: The file is damaged, or is not a cine loop or frame.
    """
    path = Path(path)
    suffix = check_file(path, cine_suffix, CINE_SUFFIXES)
    if suffix in VIDEO_SUFFIXES:
        return open_video_cine(path)
    if suffix in DICOM_SUFFIXES:
        return open_dicom_cine(path)
    if suffix in METAIMAGE_SUFFIXES:
        return open_metaimage_cine(path)
    return _still(path)


def _still(path: Path) -> Cine:
    spacing = read_frame(path).pixel_spacing_mm

    def decode() -> Iterator[Decoded]:
        yield read_frame(path).pixels, None

    return Cine(path, decode, 1, None, spacing)
