"""Base class of the transforms that write a file for each frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from monai.config import KeysCollection
from monai.transforms import MapTransform, SaveImaged
from monai.utils import ImageMetaKey

from fetal_monai.reporting.output_path import output_path


class SaveAboutFramed(MapTransform):
    """Writes one file for each key, named after the frame, see `output_path`; subclasses implement `save`.

    Nothing is written about an image that is from no file. Software that runs a bundle's post-processing and saves the
    results itself, such as MONAI Label, leaves out every `SaveImaged`: subclasses count as one.

    Args:
        keys: The values to write; with several keys, each needs its own transform and ending.
        output_dir: Folder to write to.
        source_dir: The frames' folder, whose subfolders are recreated below `output_dir`, or the only frame.
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
        self.source_dir = None if source_dir is None else Path(source_dir).expanduser()
        self.ending = self.default_ending if ending is None else ending
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the files and return the item unchanged."""
        item = dict(data)
        if file := item[self.image_key].meta.get(ImageMetaKey.FILENAME_OR_OBJ):
            for key in self.key_iterator(item):
                self.save(item, key, Path(file))
        return item

    @abstractmethod
    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the value of `key`; `frame` is the frame's file."""

    def path(self, frame: Path, suffix: str) -> Path:
        """The path of the file for `frame`; `suffix` is its format, with the dot."""
        return output_path(frame, self.source_dir, self.output_dir, self.ending, suffix)


SaveImaged.register(SaveAboutFramed)
