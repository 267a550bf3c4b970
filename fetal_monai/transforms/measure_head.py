"""Measure the head in a predicted mask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_numpy
from numpy.typing import NDArray

from fetal_monai.biometry import HeadMeasurement, measure_head, measurement_quality
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import UltrasoundRegion, spacing_at, ultrasound_regions_from_text


class MeasureHeadd(MapTransform):
    """Adds ``<key>_head``, the `HeadMeasurement` in the mask under ``key``, or a `FailedEstimate` with the reason.

    The mask is a probability or label map (1, H, W), or has a channel for each class (C, H, W), the head's last. It
    is on the frame's own pixel grid: bring it back to the frame's size (``Invertd``) first. Only probabilities show
    how certain the network is, see `measurement_quality`: measure before they become a mask (``AsDiscreted``). A
    `FailedEstimate` that is there already stays, see `RejectNonFinited`.

    Args:
        keys: The masks.
        pixel_spacing_key: Where an item keeps its (row, column) spacing in mm. Where there is none, or NaN, it is
            unknown: the measurement then has an ellipse in px and no millimetres.
        ultrasound_regions_key: Where an item keeps its ultrasound regions, see
            `fetal_monai.geometry.ultrasound_regions_to_text`. If there are any, the spacing is that of the region
            that contains the ellipse.
        allow_missing_keys: Leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        pixel_spacing_key: str = "pixel_spacing_mm",
        ultrasound_regions_key: str = "ultrasound_regions",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.pixel_spacing_key = pixel_spacing_key
        self.ultrasound_regions_key = ultrasound_regions_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its measurements.

        Raises:
            ValueError: A spacing is neither two positive numbers nor two NaN.
        """
        item = dict(data)
        spacing = _spacing(item.get(self.pixel_spacing_key, (np.nan, np.nan)))
        regions = ultrasound_regions_from_text(item.get(self.ultrasound_regions_key, "[]"))
        for key in self.key_iterator(item):
            if isinstance(item.get(f"{key}_head"), FailedEstimate):
                continue
            mask = np.asarray(convert_to_numpy(item[key])[-1])
            head = _measure_in_region(mask, regions) if regions else measure_head(mask, spacing)
            if isinstance(head, HeadMeasurement):
                head = replace(head, quality=measurement_quality(mask, head.ellipse_px))
            item[f"{key}_head"] = head
        return item


def _measure_in_region(mask: NDArray[Any], regions: Sequence[UltrasoundRegion]) -> HeadMeasurement | FailedEstimate:
    head = measure_head(mask)
    if not isinstance(head, HeadMeasurement):
        return head
    spacing = spacing_at(head.ellipse_px, regions, (mask.shape[0], mask.shape[1]))
    if isinstance(spacing, FailedEstimate):
        return HeadMeasurement(head.ellipse_px, unscaled_reason=spacing.reason)
    return HeadMeasurement(head.ellipse_px, spacing)


def _spacing(value: Sequence[Any]) -> tuple[float, float] | None:
    row, column = (float(length) for length in value)
    return None if np.isnan([row, column]).all() else (row, column)
