"""A frame that is already polar: rows are depths, columns are angles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.geometry.checks import check_points, check_shape

Points = NDArray[np.float64]

# The angles of a scanner are symmetric about straight down, within this fraction of their width.
_ASYMMETRY = 0.02
_LARGEST_OPENING_DEG = 150.0
# Fraction of the columns filled by the rows next to the probe in a polar frame; in a sector they fill only a chord.
_UPPER_ROWS, _FILLED_COLUMNS = 0.1, 0.75


@dataclass(frozen=True, slots=True)
class PolarFrame:
    """A frame whose whole image shows the sector with straight beams, so that it needs no reprojection.

    Attributes:
        shape: (H, W) of the image: depths, angles.

    Raises:
        ValueError: The shape is not two positive numbers.
    """

    shape: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", check_shape(self.shape))

    def to_fractions(self, points: NDArray[Any]) -> Points:
        """Fractions (angles, depths), each in [0, 1), of points (..., 2) of (x, y), px."""
        x, y = check_points(points)
        return np.stack([(x + 0.5) / self.shape[1], (y + 0.5) / self.shape[0]], axis=-1)

    def from_fractions(self, fractions: NDArray[Any]) -> Points:
        """Points on the image, (x, y) px, of fractions of angles and depths, the inverse of `to_fractions`."""
        across, along = check_points(fractions)
        return np.stack([across * self.shape[1] - 0.5, along * self.shape[0] - 0.5], axis=-1)


def is_polar_metaimage(header: Mapping[str, str], pixels: NDArray[Any]) -> bool:
    """Whether a MetaImage is a polar frame, with degrees across and mm from the apex down.

    The header does not state its units. A frame is treated as polar only if header and pixels agree: the columns are
    symmetric about 0 (scanners centre their beams) and span less than 150, the rows start at a positive distance (the
    probe's face), and even the upper rows, where a sector is narrow, are filled from side to side.

    Args:
        header: The ``key = value`` lines of the header.
        pixels: Gray levels (H, W).

    Raises:
        ValueError: A length in the header is not a number.
    """
    stated = (header.get("Offset") or header.get("Position") or header.get("Origin"), header.get("ElementSpacing"))
    if not all(stated):
        return False
    (first_column, first_row), (column_step, row_step) = (
        tuple(float(value) for value in str(line).split()[:2]) for line in stated
    )
    width = pixels.shape[1] * column_step
    # In ITK, the offset is the centre of the first pixel.
    middle = first_column + (width - column_step) / 2
    if not (0 < width < _LARGEST_OPENING_DEG and abs(middle) <= _ASYMMETRY * width and first_row > 0 and row_step > 0):
        return False
    upper = pixels[: max(1, round(_UPPER_ROWS * pixels.shape[0]))]
    return bool((upper > pixels.min()).any(axis=0).mean() >= _FILLED_COLUMNS)
