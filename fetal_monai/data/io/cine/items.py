"""The frames of a cine loop as items for MONAI's transforms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monai.data import MetaTensor
from monai.utils import ImageMetaKey

from fetal_monai.data.io.cine.opening import open_cine
from fetal_monai.data.io.frame import Frame
from fetal_monai.data.io.frame_reader import frame_meta


class CineItems:
    """Yields the frames of a cine loop one by one, as dictionaries for MONAI's transforms.

    Each contains ``image``, as loaded by `FrameReader`, so that the rest of a bundle's preprocessing can follow without
    ``LoadImaged``; ``frame``, the position in the loop from 0; and ``time_s``, NaN if unknown. Use as
    ``monai.data.IterableDataset(CineItems(path), transform)``, in a loader without workers: each worker would decode
    all frames.

    Args:
        path: The file, see `open_cine`.
        key: The image's key.

    Raises:
        FileNotFoundError: The file does not exist.
        FrameError: The file is damaged, or is not a cine loop or frame.
    """

    def __init__(self, path: str | Path, key: str = "image") -> None:
        self.cine = open_cine(path)
        self.key = key

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for frame in self.cine:
            meta = frame_meta(Frame(frame.pixels, self.cine.pixel_spacing_mm))
            meta[str(ImageMetaKey.FILENAME_OR_OBJ)] = str(self.cine.path)
            yield {
                self.key: MetaTensor.ensure_torch_and_prune_meta(frame.pixels, meta),
                "frame": frame.index,
                "time_s": math.nan if frame.time_s is None else frame.time_s,
            }
