"""Plausible pixel sizes."""

from __future__ import annotations

# The range of HC18 is 0.049 to 0.393 mm; outside the limits, a frame could not show a whole head.
PLAUSIBLE_PIXEL_SIZE_MM = (0.01, 2.0)
EXPECTED_PIXEL_SIZE = "between {:g} and {:g} mm".format(*PLAUSIBLE_PIXEL_SIZE_MM)


def is_plausible_pixel_size(*lengths_mm: float) -> bool:
    """Whether all lengths are plausible for a pixel; NaN and infinity are not."""
    smallest, largest = PLAUSIBLE_PIXEL_SIZE_MM
    return all(smallest <= length <= largest for length in lengths_mm)
