"""What was measured on one frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Dating, Ellipse, HeadMeasurement, date_pregnancy
from fetal_monai.biometry.region import largest_component
from fetal_monai.data.frame_scale import FrameScale
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.reporting.measurement_row import Row, measurement_row
from fetal_monai.runtimes.resize import resize


@dataclass(frozen=True, eq=False)
class HeadResult:
    """The measurement of the head on one frame.

    Attributes:
        head: The ellipse and its sizes, or a `FailedEstimate` with the reason why there are none.
        frame_shape: (H, W) of the frame.
        scale: The size of the frame's pixels.
        probability: The head's probability at the network's size, (h, w); None where the network did not see the
            frame.
    """

    head: HeadMeasurement | FailedEstimate
    frame_shape: tuple[int, ...]
    scale: FrameScale
    probability: NDArray[np.float32] | None = None

    @cached_property
    def row(self) -> Row:
        """The values by the columns of ``measurements.csv``, without those of a file."""
        return measurement_row(
            self.head, known_age_days=self.scale.gestational_age_days, spacing_source=self.scale.source
        )

    @property
    def status(self) -> str:
        """One of "measured", "check" (a doubtful measurement), "unscaled" (no known pixel spacing) and "failed"."""
        return str(self.row["status"])

    @property
    def reason(self) -> str:
        """Why the frame failed, is doubtful or unscaled, or has no gestational age; else empty."""
        return str(self.row["reason"])

    @property
    def ellipse_px(self) -> Ellipse | None:
        """The ellipse on the frame; None where the frame failed."""
        return self.head.ellipse_px if isinstance(self.head, HeadMeasurement) else None

    @property
    def head_circumference_mm(self) -> float | None:
        """HC: the perimeter of the ellipse; None if the frame failed or is unscaled."""
        return None if (scaled := self._scaled) is None else scaled.head_circumference_mm

    @property
    def biparietal_diameter_mm(self) -> float | None:
        """BPD, outer to outer: the short axis of the ellipse; None if the frame failed or is unscaled."""
        return None if (scaled := self._scaled) is None else scaled.biparietal_diameter_mm

    @property
    def occipitofrontal_diameter_mm(self) -> float | None:
        """OFD, outer to outer: the long axis of the ellipse; None if the frame failed or is unscaled."""
        return None if (scaled := self._scaled) is None else scaled.occipitofrontal_diameter_mm

    @property
    def gestational_age_days(self) -> float | None:
        """The age to use, see `date_pregnancy`; None if the frame failed or is unscaled, or outside the standards."""
        dating: Dating | None = date_pregnancy(self.head_circumference_mm, self.scale.gestational_age_days)
        return None if dating is None else dating.gestational_age_days

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
