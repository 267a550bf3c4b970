"""Data set of the frames of an inference, in which a frame may fail without stopping the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import Any

from monai.data import IterableDataset
from monai.transforms import Transform
from monai.utils import ImageMetaKey
from torch.utils.data import get_worker_info

from fetal_monai.data.frame_failure import failure_reason
from fetal_monai.data.rejected import Rejected


class FrameDataset(IterableDataset):
    """Prepares frames one by one; a frame that cannot be read or prepared is recorded and left out.

    Its length is the number of frames to prepare. Attach `MeasurementReport` to the engine: it ends the epoch early if
    frames were left out.

    Args:
        data: One dictionary per frame with ``image``, its path or its pixels, such as `FrameCollection.frames` or a
            `FrameStream`.
        transform: Prepares an item.
        rejected: List to which the frames that are left out are added: `FrameCollection.rejected` or
            `FrameStream.rejected`.
    """

    def __init__(self, data: Iterable[dict[str, Any]], transform: Transform, rejected: list[Rejected]) -> None:
        super().__init__(data, transform)
        self.rejected = rejected

    def __len__(self) -> int:
        """The number of frames to prepare.

        Raises:
            TypeError: The number is unknown, as for a stream.
        """
        if not isinstance(self.data, Sized):
            raise TypeError(f"{type(self.data).__name__} has no length.")
        return len(self.data)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the prepared items.

        Raises:
            RuntimeError: The iterator runs in a worker process, where records of failures would be lost.
        """
        if get_worker_info() is not None:
            raise RuntimeError("FrameDataset records failures in the main process; set num_workers to 0.")
        for item in self.data:
            try:
                prepared = self.transform(item)
            except Exception as error:  # no error may end the batch
                self.rejected.append(_rejected(item, error))
            else:
                yield prepared


def _rejected(item: dict[str, Any], error: Exception) -> Rejected:
    image = item["image"]
    file = image if isinstance(image, str) else image.meta[ImageMetaKey.FILENAME_OR_OBJ]
    place = f"frame {item['frame']}: " if "frame" in item else ""
    return Rejected(Path(file), place + failure_reason(error, file))
