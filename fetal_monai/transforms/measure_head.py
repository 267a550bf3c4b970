"""Measure the head in a predicted mask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import TraceKeys, convert_to_numpy
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import ultrasound_regions_from_text
from fetal_monai.measurement.measure_output import measure_output


class MeasureHeadd(MapTransform):
    """Adds ``<key>_head``, the `HeadMeasurement` in the mask under ``key``, or a `FailedEstimate` with the reason.

    The mask is a probability or label map (1, H, W), or has a channel for each class (C, H, W), the head's last. It
    shows the whole frame, at any size: measure before it is brought back to the frame's size (``Invertd``), which
    would take longer and be no more accurate. Only probabilities show how certain the network is, see
    `measurement_quality`: measure before they become a mask (``AsDiscreted``). A `FailedEstimate` that is there
    already stays, see `RejectNonFinited`.

    Args:
        keys: The masks.
        pixel_spacing_key: Where an item keeps its (row, column) spacing in mm. Where there is none, or NaN, it is
            unknown: the measurement then has an ellipse in px and no millimetres.
        ultrasound_regions_key: Where an item keeps its ultrasound regions, see
            `fetal_monai.geometry.ultrasound_regions_to_text`. If there are any, the spacing is that of the region
            that contains the ellipse.
        image_key: Where an item keeps the frame: a MetaTensor knows the size that it had before it was resized. If
            there is none, the mask is of the frame's size.
        allow_missing_keys: Leave out keys that an item lacks.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        pixel_spacing_key: str = "pixel_spacing_mm",
        ultrasound_regions_key: str = "ultrasound_regions",
        image_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.pixel_spacing_key = pixel_spacing_key
        self.ultrasound_regions_key = ultrasound_regions_key
        self.image_key = image_key

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
            output = np.asarray(convert_to_numpy(item[key])[-1])
            item[f"{key}_head"] = measure_output(output, _frame_shape(item, self.image_key, output), spacing, regions)
        return item


def _frame_shape(item: Mapping[Hashable, Any], image_key: str, output: NDArray[Any]) -> tuple[int, int]:
    """The frame's size before the first transform that MONAI can invert; that of the output if there was none."""
    applied = getattr(item.get(image_key), "applied_operations", ())
    height, width = (int(length) for length in (applied[0][TraceKeys.ORIG_SIZE] if applied else output.shape))
    return height, width


def _spacing(value: Sequence[Any]) -> tuple[float, float] | None:
    row, column = (float(length) for length in value)
    return None if np.isnan([row, column]).all() else (row, column)
