"""What was measured on one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry.ellipse import Ellipse
from fetal_monai.biometry.gestational_age import OutOfRangeError, hadlock_gestational_age_days
from fetal_monai.biometry.head import HeadMeasurement
from fetal_monai.biometry.region import largest_component
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.runtimes.resize import resize

_NO_SPACING = "pixel spacing unknown: give pixel_spacing_mm"


@dataclass(frozen=True, slots=True, eq=False)
class HeadResult:
    """The measurement of the head on one frame.

    Attributes:
        head: The ellipse and its sizes, or a `FailedEstimate` with the reason why there are none.
        frame_shape: (H, W) of the frame.
        probability: The head's probability at the network's size, (h, w); None where the network did not see the
            frame.
    """

    head: HeadMeasurement | FailedEstimate
    frame_shape: tuple[int, ...]
    probability: NDArray[np.float32] | None = None

    @property
    def status(self) -> Literal["measured", "unscaled", "failed"]:
        """As in the tables of the bundles: "unscaled" has an ellipse, but no known pixel spacing."""
        if not isinstance(self.head, HeadMeasurement):
            return "failed"
        return "unscaled" if self.head.pixel_spacing_mm is None else "measured"

    @property
    def reason(self) -> str:
        """Why the frame failed, or is unscaled, or has no gestational age; else empty."""
        if not isinstance(self.head, HeadMeasurement):
            return self.head.reason
        if self.head.pixel_spacing_mm is None:
            return self.head.unscaled_reason or _NO_SPACING
        age = _age(self.head)
        return str(age) if isinstance(age, OutOfRangeError) else ""

    @property
    def ellipse_px(self) -> Ellipse | None:
        """The ellipse on the frame; None where the frame failed."""
        return self.head.ellipse_px if isinstance(self.head, HeadMeasurement) else None

    @property
    def head_circumference_mm(self) -> float | None:
        """HC: the perimeter of the ellipse; None unless the status is "measured"."""
        return None if (scaled := self._scaled) is None else scaled.head_circumference_mm

    @property
    def biparietal_diameter_mm(self) -> float | None:
        """BPD, outer to outer: the short axis of the ellipse; None unless the status is "measured"."""
        return None if (scaled := self._scaled) is None else scaled.biparietal_diameter_mm

    @property
    def occipitofrontal_diameter_mm(self) -> float | None:
        """OFD, outer to outer: the long axis of the ellipse; None unless the status is "measured"."""
        return None if (scaled := self._scaled) is None else scaled.occipitofrontal_diameter_mm

    @property
    def gestational_age_days(self) -> float | None:
        """The age that follows from HC, Hadlock 1984; None outside its range, and unless the status is "measured"."""
        age = None if (scaled := self._scaled) is None else _age(scaled)
        return age if isinstance(age, float) else None

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """The head's largest component on the frame, (H, W), computed on every call; None without a probability."""
        if self.probability is None:
            return None
        height, width = self.frame_shape
        return largest_component(resize(self.probability, (height, width)) > 0.5)

    @property
    def _scaled(self) -> HeadMeasurement | None:
        return self.head if isinstance(self.head, HeadMeasurement) and self.head.pixel_spacing_mm else None


def _age(head: HeadMeasurement) -> float | OutOfRangeError:
    try:
        return hadlock_gestational_age_days(head.head_circumference_mm)
    except OutOfRangeError as error:
        return error
