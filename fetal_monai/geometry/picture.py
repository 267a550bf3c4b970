"""Detection of the ultrasound picture on the screen, and of its straight edges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d

# Gray levels up to this fraction of the range above the screen's black belong to the screen: 1.5 of 255.
_BLACK = 0.006
# Smallest black fraction of the border, if the picture has black surroundings: at least the corners.
_SMALLEST_BLACK_BORDER = 0.02
_HOLE_PX, _BAR_PX = 7, 17

# A pixel this close to the image's border may be cut off by it.
_BORDER_PX = 2
_SHORTEST_EDGE = 0.08  # of the image's height
_STEEPEST_EDGE_RAD, _FLATTEST_EDGE_RAD = 0.08, 1.35
_PAIRED_POINTS = 48


class Edge(NamedTuple):
    """A straight edge x = offset + slope * row, px."""

    offset: float
    slope: float

    def x(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Columns of the edge in these rows."""
        return self.offset + self.slope * np.asarray(rows, dtype=np.float64)

    def distance(self, x: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float64]:
        """Distance of points to the right of the edge, px; negative on its left."""
        return (x - self.x(rows)) / np.hypot(1, self.slope)


def find_picture(pixels: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """The ultrasound picture without text and gray bar: the largest connected part brighter than the screen.

    Args:
        pixels: Gray levels (H, W).

    Returns:
        Boolean mask (H, W), or None if the picture has no black surroundings.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    span = float(np.ptp(pixels))
    dark = border[border <= pixels.min() + 0.1 * span]
    if span == 0 or len(dark) < _SMALLEST_BLACK_BORDER * len(border):
        return None
    levels, counts = np.unique(dark, return_counts=True)
    bright = pixels > levels[counts.argmax()] + _BLACK * span
    # Fluid and weak speckle leave holes. Closing bridges them; it is used only to find what is connected.
    whole = maximum_filter(bright, _HOLE_PX, mode="constant", cval=False)
    whole = minimum_filter(whole, _HOLE_PX, mode="constant", cval=True)
    # The bar of gray levels is narrower than any row of a sector; opening the rows removes it.
    whole = minimum_filter1d(whole, _BAR_PX, mode="constant", cval=False)
    whole = maximum_filter1d(whole, _BAR_PX, mode="constant", cval=False)
    parts, count = label(whole)
    if not count:
        return None
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return bright & (parts == sizes.argmax())


def find_edge(picture: NDArray[np.bool_], tolerance_px: float) -> Edge | None:
    """The left edge of a sector: the line on which most rows of the picture begin.

    Every pair of up to 48 rows proposes a line; the one near most rows' first pixels is refined by least squares.
    This is RANSAC (Fischler and Bolles, Comm. ACM 24(6), 1981) without randomness: the same image always gives the
    same edge.

    Args:
        picture: Mask (H, W); mirror it for the right edge.
        tolerance_px: Largest distance of a first pixel from the line.

    Returns:
        The edge, or None if less than 8 % of the image's height shows one with the inclination of a sector's edge.
    """
    height, width = picture.shape
    rows = np.flatnonzero(picture.any(axis=1))
    first = picture[rows].argmax(axis=1)
    uncut = (first > _BORDER_PX) & (first < width - 1 - _BORDER_PX)
    rows, first = rows[uncut], first[uncut]
    shortest = max(10, round(_SHORTEST_EDGE * height))
    if len(rows) < shortest:
        return None
    # The picture begins between this pixel and the one before it.
    x = first - 0.5
    some = np.unique(np.linspace(0, len(rows) - 1, _PAIRED_POINTS).round().astype(int))
    upper, lower = (some[index] for index in np.triu_indices(len(some), 1))
    slopes = (x[lower] - x[upper]) / (rows[lower] - rows[upper])
    lean_rad = np.arctan(-slopes)
    proposed = (lean_rad > _STEEPEST_EDGE_RAD) & (lean_rad < _FLATTEST_EDGE_RAD)
    if not proposed.any():
        return None
    slopes, upper = slopes[proposed, None], upper[proposed, None]
    distances = np.abs(x - x[upper] - slopes * (rows - rows[upper])) / np.hypot(1, slopes)
    passed = distances <= tolerance_px
    on_line = passed[passed.sum(axis=1).argmax()]
    if on_line.sum() < shortest:
        return None
    slope, offset = np.polyfit(rows[on_line], x[on_line], 1)
    return Edge(float(offset), float(slope))
