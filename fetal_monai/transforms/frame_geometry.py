"""Find the sector on a frame."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey, convert_to_numpy

from fetal_monai.data import GeometryTable, find_frame_geometry
from fetal_monai.geometry import MINIMUM_CONFIDENCE, geometry_record


class FrameGeometryd(MapTransform):
    """Adds the geometry of a frame, as the plain values of `geometry_record`, for `SectorToPolard`.

    Options win over the table, the table over the frame's header; what nothing states is estimated from the picture,
    see `find_frame_geometry`. An estimate that is refused gives a record of kind "unknown" with the reason.

    Args:
        keys: the image, (1, H, W), as `FrameReader` loads it and on its own pixel grid.
        geometry_key: where the record is put.
        options: values by name for every frame, see `fetal_monai.geometry.geometry_from_fields`.
        table: CSV with a column ``filename`` and such values.
        minimum_confidence: an estimate with less is refused.
        pixel_spacing_key: where an item keeps its (row, column) spacing in mm; the image's meta data where it has none.
        allow_missing_keys: leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        geometry_key: str = "geometry",
        options: Mapping[str, Any] | None = None,
        table: str | Path | None = None,
        minimum_confidence: float = MINIMUM_CONFIDENCE,
        pixel_spacing_key: str = "pixel_spacing_mm",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(self.keys) != 1:
            raise ValueError(f"keys is {self.keys}; expected one: the image that shows the sector.")
        self.geometry_key = geometry_key
        self.options = options
        self.table = GeometryTable(table) if table is not None else None
        self.minimum_confidence = minimum_confidence
        self.pixel_spacing_key = pixel_spacing_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its geometry.

        Raises:
            ValueError: what is stated is no geometry; the message names the file or the options.
        """
        item = dict(data)
        for key in self.key_iterator(item):
            image = item[key]
            spacing = item.get(self.pixel_spacing_key, image.meta.get("pixel_spacing_mm"))
            row, column = (math.nan, math.nan) if spacing is None else (float(length) for length in spacing)
            pixels = convert_to_numpy(image)[0]
            found = find_frame_geometry(
                image.meta[ImageMetaKey.FILENAME_OR_OBJ],
                pixels,
                (row, column) if math.isfinite(row) and math.isfinite(column) else None,
                self.options,
                self.table,
                self.minimum_confidence,
            )
            item[self.geometry_key] = geometry_record(found.geometry, pixels.shape, found.origin, found.confidence)
        return item
