"""DICOM's ultrasound regions: their places on the image and the sizes of their pixels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.failed_estimate import FailedEstimate

Spacing: TypeAlias = tuple[float, float]

# DICOM PS3.3 C.8.5.5: codes of an ultrasound region
_IS_2D = 1
_IS_TISSUE = 1
_UNIT_IS_CM = 3

# Scanners and fits are not exact to the pixel: some state the first column after the region as its last one.
_TOLERANCE_PX = 1.0
# Spacings that differ by less are the same number, rounded: a head circumference would differ by less than 0.4 mm.
_SPACING_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A calibrated 2-D tissue region of a DICOM image, one item of its Sequence of Ultrasound Regions.

    It states the place of the picture and the size of its pixels, and no more: DICOM has no attribute for the apex,
    the angles or the probe's radius. (The Reference Pixel is the origin of the region's measurements. Most scanners
    put it at the middle of the probe's face, but none need to.)

    Attributes:
        left, top, right, bottom: First and last column and row of the region, px. All are 0 when not stated; the
            region is then the whole image.
        pixel_spacing_mm: (row, column) spacing.
    """

    left: int
    top: int
    right: int
    bottom: int
    pixel_spacing_mm: Spacing

    def __str__(self) -> str:
        row_mm, column_mm = self.pixel_spacing_mm
        place = f"x {self.left} to {self.right}, y {self.top} to {self.bottom}" if self._has_place else "whole image"
        return f"{place}: {row_mm:g} x {column_mm:g} mm"

    @property
    def area(self) -> int:
        """Size between the outermost pixel centres, px^2."""
        return (self.right - self.left) * (self.bottom - self.top)

    def is_on(self, shape: tuple[int, int]) -> bool:
        """Whether the region is on an image (H, W). One that is not was stated for another image."""
        height, width = shape
        return self.right <= width - 1 + _TOLERANCE_PX and self.bottom <= height - 1 + _TOLERANCE_PX

    def contains(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the points (N, 2) of (x, y) are in the region."""
        if not self._has_place:
            return np.ones(len(points), dtype=bool)
        first = np.array([self.left, self.top]) - _TOLERANCE_PX
        last = np.array([self.right, self.bottom]) + _TOLERANCE_PX
        return np.all((points >= first) & (points <= last), axis=1)

    @property
    def _has_place(self) -> bool:
        return any((self.left, self.top, self.right, self.bottom))


def read_ultrasound_regions(dataset: Mapping[str, Any]) -> tuple[UltrasoundRegion, ...]:
    """Read the calibrated 2-D tissue regions of a DICOM file: those with lengths in cm and a usable pixel size.

    Args:
        dataset: A `pydicom.Dataset`, or a dictionary with DICOM's keywords.
    """
    regions = []
    for item in dataset.get("SequenceOfUltrasoundRegions") or []:
        if (
            item.get("RegionSpatialFormat") == _IS_2D
            and item.get("RegionDataType") == _IS_TISSUE
            and item.get("PhysicalUnitsXDirection") == _UNIT_IS_CM
            and item.get("PhysicalUnitsYDirection") == _UNIT_IS_CM
        ):
            # The deltas are cm per pixel and signed by the direction of the axis.
            row, column = (abs(float(item.get(f"PhysicalDelta{axis}") or 0)) * 10 for axis in "YX")
            left, top, right, bottom = (
                int(item.get(f"RegionLocation{side}") or 0) for side in ("MinX0", "MinY0", "MaxX1", "MaxY1")
            )
            if all(math.isfinite(length) and length > 0 for length in (row, column)):
                regions.append(UltrasoundRegion(left, top, right, bottom, (row, column)))
    return tuple(regions)


def same_spacing(first: Spacing, second: Spacing) -> bool:
    """Whether two pixel spacings are equal but for rounding."""
    return all(math.isclose(a, b, rel_tol=_SPACING_TOLERANCE) for a, b in zip(first, second, strict=True))


def common_spacing(spacings: Iterable[Spacing]) -> Spacing | None:
    """The spacing that all of them equal; None if they differ or there is none."""
    stated = list(spacings)
    return stated[0] if stated and all(same_spacing(stated[0], other) for other in stated) else None


def spacing_at(
    ellipse: Ellipse, regions: Sequence[UltrasoundRegion], shape: tuple[int, int]
) -> Spacing | FailedEstimate:
    """The pixel spacing of the region that contains an ellipse.

    Regions of the same spacing count as one. Regions that are not on the image, and the part of the ellipse beyond the
    edge of the image, are ignored.

    Args:
        ellipse: On the image, px.
        regions: The regions stated in the image's header.
        shape: (H, W) of the image.

    Returns:
        (row, column) spacing in mm, or the reason for its absence: the ellipse is in no region, or in several whose
        spacings differ.
    """
    height, width = shape
    outline = ellipse.points()
    outline = outline[((outline >= -0.5) & (outline <= [width - 0.5, height - 0.5])).all(axis=1)]
    on_image = [region for region in regions if region.is_on(shape)]
    found: list[Spacing] = []
    for spacing in (region.pixel_spacing_mm for region in on_image):
        alike = [region for region in on_image if same_spacing(region.pixel_spacing_mm, spacing)]
        if len(outline) and np.any([region.contains(outline) for region in alike], axis=0).all():
            found.append(spacing)
    if common := common_spacing(found):
        return common
    stated = f"the header states {len(regions)} calibrated ultrasound region{'s' * (len(regions) > 1)}"
    stated += f" on {width} x {height} px ({'; '.join(map(str, regions))})"
    if found:
        return FailedEstimate(f"{stated}, and the ellipse lies in several that differ in spacing")
    return FailedEstimate(f"{stated}, and the ellipse lies in none")


def ultrasound_regions_to_text(regions: Sequence[UltrasoundRegion]) -> str:
    """Regions as one line of JSON, which a data loader can collate whatever their number."""
    return json.dumps([astuple(region) for region in regions])


def ultrasound_regions_from_text(text: str) -> tuple[UltrasoundRegion, ...]:
    """The regions that `ultrasound_regions_to_text` serialised."""
    return tuple(
        UltrasoundRegion(left, top, right, bottom, (row, column))
        for left, top, right, bottom, (row, column) in json.loads(text)
    )
