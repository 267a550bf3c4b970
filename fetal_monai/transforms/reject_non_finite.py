"""Reject a prediction with non-finite values before it becomes a mask."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from fetal_monai.failed_estimate import FailedEstimate


class RejectNonFinited(MapTransform):
    """Adds ``<key>_head``, a `FailedEstimate`, where the network's output under ``key`` holds NaN or infinity.

    `MeasureHeadd` leaves it as it is. Use this transform first: a threshold or an argmax would turn NaN into
    background, and the frame into one without a head.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item, with a failed measurement where there is one."""
        item = dict(data)
        for key in self.key_iterator(item):
            finite = convert_to_tensor(item[key]).isfinite()
            if not finite.all():
                item[f"{key}_head"] = FailedEstimate(
                    f"{int((~finite).sum())} of {finite.numel()} values in the network's output are NaN or infinite; "
                    "check the weights, and autocast_dtype if it is set"
                )
        return item
