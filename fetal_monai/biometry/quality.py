"""Figures that tell a doubtful measurement of the head from a reliable one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry.ellipse import Ellipse

# Fewer than 1 % of the 566 frames of HC18 on which the shipped BiSeNet was trained are below each of them: their
# first percentiles are 0.982, 1 and 0.963. The medians of abdomens, thoraces and femurs in which it finds an ellipse
# are 0.964, 1 and 0.912. A network that is less certain of true heads has more of them checked.
MIN_ELLIPSE_OVERLAP = 0.975
MIN_VISIBLE_OUTLINE = 0.90
MIN_MEAN_PROBABILITY = 0.96


@dataclass(frozen=True, slots=True)
class MeasurementQuality:
    """How well an ellipse fits the network's output that it was measured in. A good fit need not be a head.

    Attributes:
        ellipse_overlap: Dice coefficient of the whole foreground and the ellipse, on the frame.
        visible_outline: Share of the ellipse's outline inside the frame.
        mean_probability: Mean of the foreground's probability inside the ellipse, on the frame.
    """

    ellipse_overlap: float
    visible_outline: float
    mean_probability: float

    @property
    def doubts(self) -> list[str]:
        """What is poor, each as a phrase for the user; empty if nothing is."""
        checks = (
            (self.visible_outline, MIN_VISIBLE_OUTLINE, "only {:.0%} of the ellipse's outline is inside the frame"),
            (self.ellipse_overlap, MIN_ELLIPSE_OVERLAP, "the mask and the ellipse overlap by only {:.1%} (Dice)"),
            (self.mean_probability, MIN_MEAN_PROBABILITY, "the mean probability inside the ellipse is only {:.1%}"),
        )
        return [phrase.format(value) for value, least, phrase in checks if value < least]


def measurement_quality(probability: NDArray[Any], ellipse: Ellipse) -> MeasurementQuality:
    """Judge an ellipse by the network's output that it was fitted to.

    Args:
        probability: (H, W), the head's probability, 0..1; above 0.5 is foreground.
        ellipse: In px of that map.
    """
    height, width = probability.shape
    inside, foreground = ellipse.rasterise((height, width)), probability > 0.5
    common = np.count_nonzero(inside & foreground)
    area = np.count_nonzero(inside)
    outline = ellipse.points()
    visible = ((outline > -0.5) & (outline < [width - 0.5, height - 0.5])).all(axis=1)
    return MeasurementQuality(
        ellipse_overlap=2 * common / (area + np.count_nonzero(foreground)),
        visible_outline=float(visible.mean()),
        mean_probability=float(probability[inside].mean(dtype=np.float64)) if area else 0.0,
    )
