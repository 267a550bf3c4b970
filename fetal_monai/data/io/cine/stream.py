"""Stream all frames of a file or folder, from stills and cine loops."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.data.io.cine.items import CineItems
from fetal_monai.data.io.cine.source_files import source_files
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.rejected import Rejected
from fetal_monai.data.unusable_names import unusable_names

logger = logging.getLogger(__name__)


class FrameStream:
    """Yields the frames of stills and cine loops as items for MONAI's transforms; one frame at a time is in memory.

    Each item is one of `CineItems`, with ``loop`` (whether the file is a cine loop) and ``frame_rate_hz`` (NaN if the
    file states none). Files that cannot be read completely and frames without content are recorded in `rejected`, and
    the stream continues. Use as ``monai.data.IterableDataset(FrameStream(source), transform)``, in a loader without
    workers.

    Args:
        source: A file, a folder that is searched with all its subfolders, or a list of these, see `source_files`.
        key: The image's key.

    Attributes:
        files: The files, in the order of the stream.
        source_dir: The folder that their names are relative to.
        rejected: Files and frames that could not be used so far.

    Raises:
        FileNotFoundError: A file or folder does not exist.
        ValueError: A folder contains no frames, or the list is empty.
    """

    def __init__(self, source: str | Path | Sequence[str | Path], key: str = "image") -> None:
        self.files, self.source_dir = source_files([source] if isinstance(source, str | Path) else source)
        self.key = key
        self.rejected: list[Rejected] = []
        self._unusable = unusable_names(self.files, self.source_dir)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.rejected.clear()
        for file in self.files:
            try:
                if file in self._unusable:
                    raise FrameError(self._unusable[file])
                items = CineItems(file, self.key)
                rate_hz = items.cine.frame_rate_hz
                stated = {
                    "loop": items.cine.frame_count != 1,
                    "frame_rate_hz": math.nan if rate_hz is None else rate_hz,
                }
                for item in items:
                    pixels = item[self.key]
                    if pixels.min() == pixels.max():
                        self._reject(
                            file, f"frame {item['frame']}: every pixel is {float(pixels.max()):g}: no content."
                        )
                    else:
                        yield {**item, **stated}
            except (FrameError, OSError) as error:
                self._reject(file, str(error).removeprefix(f"{file}: "))

    def _reject(self, file: Path, reason: str) -> None:
        self.rejected.append(Rejected(file, reason))
        logger.warning("%s", self.rejected[-1])
