"""Measure the head in a predicted mask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_numpy

from fetal_monai.biometry import measure_head


class MeasureHeadd(MapTransform):
    """Adds ``<key>_head``, the `HeadMeasurement` in the mask under ``key``, or the `FailedFit` that says why not.

    The mask is a label map (1, H, W) or one-hot (C, H, W) whose last channel is the head, on the frame's own pixel
    grid: bring it back to the frame's size (``Invertd``) first.

    Args:
        keys: the masks.
        pixel_spacing_key: where an item keeps its (row, column) spacing in mm, NaN when unknown: the measurement
            then has an ellipse in px and no millimetres.
        allow_missing_keys: leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        pixel_spacing_key: str = "pixel_spacing_mm",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.pixel_spacing_key = pixel_spacing_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its measurements.

        Raises:
            ValueError: a spacing is neither two positive numbers nor two NaN.
        """
        item = dict(data)
        spacing = _spacing(item[self.pixel_spacing_key])
        for key in self.key_iterator(item):
            item[f"{key}_head"] = measure_head(np.asarray(convert_to_numpy(item[key])[-1]), spacing)
        return item


def _spacing(value: Sequence[Any]) -> tuple[float, float] | None:
    row, column = (float(length) for length in value)
    return None if np.isnan([row, column]).all() else (row, column)
