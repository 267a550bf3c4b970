"""Base class of the transforms that write a file for each frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey

from fetal_monai.reporting.output_path import output_path


class SaveAboutFramed(MapTransform):
    """Writes one file for each key, named after the frame, see `output_path`; subclasses implement `save`.

    Args:
        keys: The values to write; with several keys, each needs its own transform and ending.
        output_dir: Folder to write to.
        source_dir: The frames' folder; its subfolders are recreated below `output_dir`.
        ending: Suffix added to the frame's name; None for the class's default.
        image_key: The image, whose meta data name the frame's file.
        allow_missing_keys: Leave out keys that an item lacks.
    """

    default_ending: ClassVar[str]

    def __init__(
        self,
        keys: KeysCollection,
        *,
        output_dir: str | Path,
        source_dir: str | Path | None = None,
        ending: str | None = None,
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir = Path(output_dir)
        self.source_dir = source_dir
        self.ending = self.default_ending if ending is None else ending
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the files and return the item unchanged."""
        item = dict(data)
        frame = Path(item[self.image_key].meta[ImageMetaKey.FILENAME_OR_OBJ])
        for key in self.key_iterator(item):
            self.save(item, key, frame)
        return item

    @abstractmethod
    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the value of `key`; `frame` is the frame's file."""

    def path(self, frame: Path, suffix: str) -> Path:
        """The path of the file for `frame`; `suffix` is its format, with the dot."""
        return output_path(frame, self.source_dir, self.output_dir, self.ending, suffix)
