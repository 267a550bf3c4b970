"""Which pixel sizes are plausible."""

from __future__ import annotations

# HC18's own range is 0.049..0.393 mm; beyond these a frame could not show a whole head.
PLAUSIBLE_PIXEL_SIZE_MM = (0.01, 2.0)
EXPECTED_PIXEL_SIZE = "between {:g} and {:g} mm".format(*PLAUSIBLE_PIXEL_SIZE_MM)


def is_plausible_pixel_size(*lengths_mm: float) -> bool:
    """Whether all of the lengths could be that of a pixel; NaN and infinity could not."""
    smallest, largest = PLAUSIBLE_PIXEL_SIZE_MM
    return all(smallest <= length <= largest for length in lengths_mm)
