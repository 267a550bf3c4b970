"""Save a predicted mask beside its measurement, as a file like the frame's own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey, convert_to_numpy

from fetal_monai.data import mask_suffix, write_mask
from fetal_monai.transforms.output_path import output_path


class SaveFrameMaskd(MapTransform):
    """Writes the mask under each key in the frame's format and geometry, see `fetal_monai.data.write_mask`.

    Args:
        keys: the masks, label map (1, H, W) or one-hot (C, H, W) whose last channel is the head, on the frame's own
            pixel grid. With several keys, each needs its own transform and ending.
        output_dir: the folder to write to.
        source_dir: the frames' folder; its subfolders are made again below `output_dir`.
        ending: what is added to the frame's name.
        image_key: the image, whose meta data name the frame's file.
        allow_missing_keys: leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        source_dir: str | Path | None = None,
        ending: str = "_mask",
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir = Path(output_dir)
        self.source_dir = source_dir
        self.ending = ending
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item as it came; the file is written.

        Raises:
            ValueError: a mask is not of its frame's size.
        """
        item = dict(data)
        frame = item[self.image_key].meta[ImageMetaKey.FILENAME_OR_OBJ]
        path = output_path(frame, self.source_dir, self.output_dir, self.ending, mask_suffix(frame))
        for key in self.key_iterator(item):
            write_mask(convert_to_numpy(item[key])[-1] > 0.5, frame, path)
        return item
