"""Display of the echo: compression to gray levels, and what the scanner draws around the sector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Display:
    """Settings for the display of an echo.

    Attributes:
        gain_db: Gain; an echo of -gain_db is white.
        dynamic_range_db: Range from white to black.
        gray_curve: Exponent of the gray curve; a value above 1 darkens weak echoes.
        smoothing: Width of the speckle reduction in samples of the polar grid.
    """

    gain_db: float
    dynamic_range_db: float
    gray_curve: float
    smoothing: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Display:
        """Draw a scanner's settings."""
        return cls(
            gain_db=float(rng.normal(4, 3.5)),
            dynamic_range_db=float(rng.uniform(54, 68)),
            gray_curve=float(rng.uniform(1.4, 2.1)),
            smoothing=float(rng.uniform(0.35, 0.9)),
        )

    def gray(self, envelope: Field, gain_db: Field) -> Field:
        """Compress an envelope to gray levels.

        Args:
            envelope: Envelope of the echo, (depths, beams).
            gain_db: Gain at every sample in addition to the display's own: time gain and attenuation.

        Returns:
            Gray levels 0..255, not yet rounded.
        """
        level_db = 20 * np.log10(np.maximum(envelope, np.float32(1e-6))) + gain_db + np.float32(self.gain_db)
        relative = np.clip(1 + level_db / np.float32(self.dynamic_range_db), 0, 1.08)
        if self.smoothing:
            relative = gaussian_filter(relative, self.smoothing)
        return np.float32(255) * np.clip(relative, 0, 1) ** np.float32(self.gray_curve)


@dataclass(frozen=True, slots=True)
class Furniture:
    """What the scanner and the anonymisation draw over the screen of 540x800 px.

    Attributes:
        gray_bar: (first row, last row, first column, last column) of the bar of gray levels.
        redactions: Black boxes, (first row, row after the last, first column, column after the last).
    """

    gray_bar: tuple[int, int, int, int]
    redactions: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Furniture:
        """Draw the layout of one scanner at random: the bar and boxes of HC18, moved slightly."""
        bar = (24, 181, 3, 11) if rng.random() < 0.9 else (10, 190, 28, 36)
        upper_edge = int(rng.choice((345, 405, 425, 443), p=(0.1, 0.2, 0.35, 0.35)))
        boxes = [(upper_edge, 522, int(rng.integers(585, 625)), 800)]
        if rng.random() < 0.65:
            boxes.append((0, int(rng.integers(70, 110)), int(rng.integers(690, 745)), 800))
        if rng.random() < 0.15:
            boxes.append((20, 44, 24, 56))
        return cls(bar, tuple(boxes))

    def draw(self, screen: NDArray[np.uint8]) -> None:
        """Draw into a screen (540, 800) in place."""
        for first_row, end_row, first_column, end_column in self.redactions:
            screen[first_row:end_row, first_column:end_column] = 0
        first, last, left, right = self.gray_bar
        fraction = np.linspace(1, 0, last - first + 1)
        screen[first : last + 1, left : right + 1] = np.round(243 * fraction**1.3).astype(np.uint8)[:, None]
