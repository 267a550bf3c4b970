"""Find the sector on a frame."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ImageMetaKey, convert_to_numpy

from fetal_monai.data import GeometryTable, find_frame_geometry
from fetal_monai.geometry import MINIMUM_CONFIDENCE, geometry_record

logger = logging.getLogger(__name__)


class FrameGeometryd(MapTransform):
    """Adds the geometry of a frame, as the plain values of `geometry_record`, for `SectorToPolard`.

    Options take precedence over the data list, the data list over the table, and the table over the frame's header;
    without any of them the geometry is estimated from the picture, see `find_frame_geometry`. An estimate that is
    refused gives a record of kind "unknown" with the reason.

    Args:
        keys: The image, (1, H, W), as `FrameReader` loads it and on its own pixel grid.
        geometry_key: Key of the record.
        options: Values by name for every frame, see `fetal_monai.geometry.geometry_from_fields`.
        table: CSV with a column ``filename`` and such values.
        minimum_confidence: An estimate with less is refused.
        pixel_spacing_key: Where an item keeps its (row, column) spacing in mm; the image's meta data where it has none.
        sector_key: Key of the values that a data list states for a frame. They are taken out of the item: a
            loader can collate only what all items have.
        once_a_file: For cine loops, whose sector does not move: the geometry found on one frame holds for the
            frames of the same file that follow.
        allow_missing_keys: Leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        geometry_key: str = "geometry",
        options: Mapping[str, Any] | None = None,
        table: str | Path | None = None,
        minimum_confidence: float = MINIMUM_CONFIDENCE,
        pixel_spacing_key: str = "pixel_spacing_mm",
        sector_key: str = "sector",
        once_a_file: bool = False,
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
        self.sector_key = sector_key
        self.once_a_file = once_a_file
        self._found: tuple[str, dict[str, Any]] | None = None

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its geometry.

        Raises:
            ValueError: The stated values are no geometry; the message names the file or the options.
        """
        item = dict(data)
        listed = item.pop(self.sector_key, None)
        for key in self.key_iterator(item):
            item[self.geometry_key] = self._record(item[key], item.get(self.pixel_spacing_key), listed)
        return item

    def _record(self, image: Any, spacing: Sequence[Any] | None, listed: Mapping[str, Any] | None) -> dict[str, Any]:
        file, pixels = str(image.meta[ImageMetaKey.FILENAME_OR_OBJ]), convert_to_numpy(image)[0]
        if self._found is not None and self._found[0] == file:
            return dict(self._found[1])
        spacing = image.meta.get("pixel_spacing_mm") if spacing is None else spacing
        row, column = (math.nan, math.nan) if spacing is None else (float(length) for length in spacing)
        found = find_frame_geometry(
            file,
            pixels,
            (row, column) if math.isfinite(row) and math.isfinite(column) else None,
            self.options,
            self.table,
            self.minimum_confidence,
            listed,
        )
        record = geometry_record(found.geometry, pixels.shape, found.origin, found.confidence)
        # A loop may begin with frames that do not show the sector.
        if self.once_a_file and record["kind"] != "unknown":
            self._found = (file, record)
        return dict(record)


def geometry_origins(items: Iterable[Mapping[Hashable, Any]], geometry_key: str = "geometry") -> dict[str, int]:
    """Count where the geometries of a data set come from, and warn of frames whose geometry is unknown.

    Args:
        items: The frames after `FrameGeometryd`.
        geometry_key: Where it put the records.

    Returns:
        How many frames have each origin, "unknown" for those without a geometry.
    """
    records = [item[geometry_key] for item in items]
    counts = Counter("unknown" if record["kind"] == "unknown" else str(record["origin"]) for record in records)
    if counts["unknown"]:
        logger.warning(
            "The sector of %d of %d frames is not known; they are resized as they are. The first reason: %s. State it "
            "in a table (--geometry_table).",
            counts["unknown"],
            len(records),
            next(record["reason"] for record in records if record["kind"] == "unknown"),
        )
    return dict(counts)
