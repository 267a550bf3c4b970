"""Find the sector on a frame: from options, a table, the header of the frame, or the image itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import pydicom
from numpy.typing import NDArray

from fetal_monai.data.io.frame import Spacing
from fetal_monai.data.io.metaimage import read_metaimage_header
from fetal_monai.data.io.suffix import METAIMAGE_SUFFIXES, NIFTI_SUFFIXES, PICTURE_SUFFIXES, frame_suffix
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files.csv_table import Row, read_csv_table
from fetal_monai.files.name_matching import composed, listed_name
from fetal_monai.geometry import (
    GEOMETRY_FIELDS,
    MINIMUM_CONFIDENCE,
    PolarFrame,
    Sector,
    UltrasoundRegion,
    estimate_sector,
    geometry_from_fields,
    is_polar_metaimage,
    read_ultrasound_regions,
)

Geometry: TypeAlias = Sector | PolarFrame

_FILENAME_COLUMN = "filename"


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """The geometry of one frame and where it comes from.

    Attributes:
        geometry: The sector, the polar frame, or a `FailedEstimate` with the reason why there is neither.
        origin: "option", "data list", "table", "header" or "estimate".
        confidence: Confidence of an estimate; 1 if the geometry is stated, 0 if the estimate is rejected.
    """

    geometry: Sector | PolarFrame | FailedEstimate
    origin: str
    confidence: float


class GeometryTable:
    """Geometries from a CSV table.

    Args:
        path: CSV with a column ``filename`` and columns named as in `geometry_from_fields`. A file name is a bare name,
            or as much of the end of the path as distinguishes frames with the same name.

    Raises:
        FileNotFoundError: The table does not exist.
        ValueError: The file is not a CSV table, lacks a column, or has a row without a file name or two rows with the
            same name.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such table; give a CSV file with a column {_FILENAME_COLUMN!r}.")
        columns, rows = read_csv_table(self.path)
        if _FILENAME_COLUMN not in columns or not set(GEOMETRY_FIELDS) & set(columns):
            raise ValueError(
                f"{self.path}: has the columns {columns}; expected {_FILENAME_COLUMN!r} and some of "
                f"{', '.join(GEOMETRY_FIELDS)}, separated by commas."
            )
        self._rows: dict[str, dict[tuple[str, ...], Row]] = defaultdict(dict)
        for number, row in enumerate(rows, start=1):
            parts = PurePosixPath(listed_name(row[_FILENAME_COLUMN])).parts
            if not parts:
                raise ValueError(f"{self.path}: row {number} has no file name; fill it in or delete the row.")
            if parts in self._rows[parts[-1]]:
                raise ValueError(f"{self.path}: two rows name {row[_FILENAME_COLUMN]}; keep one of them.")
            self._rows[parts[-1]][parts] = row

    def row(self, frame: Path) -> Row:
        """Find the row that names a frame by the longest end of its path; empty if there is none."""
        path = tuple(composed(part) for part in frame.parts)
        named = self._rows.get(path[-1], {})
        fitting = [parts for parts in named if path[-len(parts) :] == parts]
        return named[max(fitting, key=len)] if fitting else {}


def find_frame_geometry(
    path: str | Path,
    pixels: NDArray[Any],
    pixel_spacing_mm: Spacing | None = None,
    options: Mapping[str, Any] | None = None,
    table: GeometryTable | None = None,
    minimum_confidence: float = MINIMUM_CONFIDENCE,
    listed: Mapping[str, Any] | None = None,
) -> FrameGeometry:
    """Find the geometry of a frame: stated by options, data list, table or header, in this order, or else estimated.

    A MetaImage header states a geometry in lines named as in `geometry_from_fields`, or implies that the frame is
    polar, see `is_polar_metaimage`. DICOM has no attributes for the apex and the angles: its tissue region only limits
    the area of the estimate.

    Args:
        path: The frame's file.
        pixels: Its gray levels (H, W), as `read_frame` gives them.
        pixel_spacing_mm: (row, column) spacing, or None.
        options: Values by name, see `geometry_from_fields`, for every frame.
        table: Values by file name.
        minimum_confidence: An estimate with a lower confidence is rejected.
        listed: Values by name that the data list states for this frame.

    Raises:
        ValueError: The stated values are not a geometry; the message names the file, or the options.
    """
    path, shape = Path(path), (int(pixels.shape[0]), int(pixels.shape[1]))
    header, region, aspect = _header(path)
    if pixel_spacing_mm is None and region is not None:
        pixel_spacing_mm = region.pixel_spacing_mm  # the sector is searched for in this region
    if pixel_spacing_mm is not None:
        aspect = pixel_spacing_mm[0] / pixel_spacing_mm[1]
    sources = (
        ("option", "the geometry's options", options or {}),
        ("data list", f"{path}: the data list", listed or {}),
        ("table", f"{table.path}: the row of {path.name}" if table else "", table.row(path) if table else {}),
        ("header", f"{path}: the header", header),
    )
    for origin, name, fields in sources:
        try:
            geometry = geometry_from_fields(fields, shape, pixel_spacing_mm)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if geometry is not None:
            return FrameGeometry(geometry, origin, 1.0)
    if is_polar_metaimage(header, pixels):
        return FrameGeometry(PolarFrame(shape), "header", 1.0)

    left, top, right, bottom = _bounds(region, shape)
    estimate = estimate_sector(pixels[top:bottom, left:right], aspect, minimum_confidence)
    if isinstance(estimate, FailedEstimate):
        return FrameGeometry(estimate, "estimate", 0.0)
    return FrameGeometry(estimate.sector.moved(left, top), "estimate", estimate.confidence)


def _header(path: Path) -> tuple[Mapping[str, str], UltrasoundRegion | None, float]:
    """Read a MetaImage's header, DICOM's largest region, and DICOM's ratio of row to column spacing (otherwise 1)."""
    suffix = frame_suffix(path)
    if suffix in METAIMAGE_SUFFIXES:
        return read_metaimage_header(path), None, 1.0
    if suffix is None or suffix in (*PICTURE_SUFFIXES, *NIFTI_SUFFIXES):
        return {}, None, 1.0
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    stated = dataset.get("PixelAspectRatio")  # (row, column)
    aspect = float(stated[0]) / float(stated[1]) if stated and all(float(length) > 0 for length in stated) else 1.0
    shape = (dataset.Rows, dataset.Columns)
    regions = [region for region in read_ultrasound_regions(dataset) if region.is_on(shape)]
    return {}, max(regions, key=lambda region: region.area, default=None), aspect


def _bounds(region: UltrasoundRegion | None, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """First column and row of the region, and those after its last; the whole image if no region is stated."""
    height, width = shape
    if region is None or region.area <= 0:
        return 0, 0, width, height
    left, top = max(0, region.left), max(0, region.top)
    right, bottom = min(width, region.right + 1), min(height, region.bottom + 1)
    if not (left < right and top < bottom):
        return 0, 0, width, height
    return left, top, right, bottom
