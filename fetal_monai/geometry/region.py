"""What DICOM states about where an ultrasound picture lies on the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# DICOM PS3.3 C.8.5.5: codes of an ultrasound region
_IS_2D = 1
_IS_TISSUE = 1
_UNIT_IS_CM = 3


@dataclass(frozen=True, slots=True)
class Region:
    """A calibrated 2-D region of tissue.

    It says where the picture is and how large its pixels are, and no more: DICOM's Sequence of Ultrasound Regions
    has no word for the apex, the angles or the probe's radius. (Its Reference Pixel is the origin of the region's
    measurements, wherever the scanner puts it; most put it at the middle of the probe's face, and none need to.)

    Attributes:
        left, top, right, bottom: First and last column and row of the region, px; all 0 when not stated.
        pixel_spacing_mm: (row, column) spacing.
    """

    left: int
    top: int
    right: int
    bottom: int
    pixel_spacing_mm: tuple[float, float]

    @property
    def area(self) -> int:
        """Size between the outermost pixel centres, px^2."""
        return (self.right - self.left) * (self.bottom - self.top)


def tissue_region(dataset: Mapping[str, Any]) -> Region | None:
    """The largest calibrated 2-D tissue region of a DICOM file.

    Args:
        dataset: A `pydicom.Dataset`, or a dictionary with DICOM's keywords.

    Returns:
        The region, or None when the file states none with lengths in cm and a usable pixel size.
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
                regions.append(Region(left, top, right, bottom, (row, column)))
    return max(regions, key=lambda region: region.area, default=None)
