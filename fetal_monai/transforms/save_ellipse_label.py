"""Save the measured ellipse as an ellipse label, the form that a training takes.

`fetal_monai.transforms` does not import this module, so that only who writes XML needs its library.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data.ellipse_label import EllipseLabel, write_ellipse_label
from fetal_monai.transforms.output_path import output_path


class SaveEllipseLabeld(MapTransform):
    """Writes the head's ellipse as XML, see `fetal_monai.data.ellipse_label`; nothing where no head was measured.

    Args:
        keys: the masks (C, H, W) on the frame's own pixel grid; ``<key>_head`` holds their measurement, see
            `MeasureHeadd`.
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
        ending: str = "_ellipse",
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_dir = Path(output_dir)
        self.source_dir = source_dir
        self.ending = ending
        self.image_key = image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item as it came; the file is written."""
        item = dict(data)
        frame = Path(item[self.image_key].meta[ImageMetaKey.FILENAME_OR_OBJ])
        path = output_path(frame, self.source_dir, self.output_dir, self.ending, ".xml")
        for key in self.key_iterator(item):
            head = item[f"{key}_head"]
            if isinstance(head, HeadMeasurement):
                height, width = item[key].shape[-2:]
                write_ellipse_label(
                    path, EllipseLabel(frame.name, (height, width), head.ellipse_px, head.pixel_spacing_mm)
                )
        return item
