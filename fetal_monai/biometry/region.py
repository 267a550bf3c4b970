"""The head's region in a probability map, and its outline between the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from fetal_monai.failed_estimate import FailedEstimate

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)
# If a second component is larger than this fraction of the first, it is unclear which of them is the head.
_MAX_SECOND_COMPONENT = 0.5


def head_region(foreground: NDArray[np.bool_], min_area_px: float) -> NDArray[np.bool_] | FailedEstimate:
    """The largest connected component, its holes filled.

    Args:
        foreground: (H, W).
        min_area_px: The smallest area that can be measured.

    Returns:
        (H, W), or a `FailedEstimate`: nothing found, too small, or two parts of similar size.
    """
    rows, columns = (np.flatnonzero(foreground.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return FailedEstimate("no head found: the mask is empty")
    # Only this part is searched: with a margin, so that what is around the foreground stays one background.
    part = (slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2))
    components, count = label(foreground[part], _EIGHT_NEIGHBOURS)
    areas = np.bincount(components.ravel())[1:] if count > 1 else np.array([np.count_nonzero(components)])
    largest = int(areas.argmax())
    if areas[largest] < min_area_px:
        return FailedEstimate(
            f"the mask is too small to measure: {areas[largest]} px, expected at least {np.ceil(min_area_px):.0f}"
        )
    second_area = int(np.delete(areas, largest).max(initial=0))
    if second_area > _MAX_SECOND_COMPONENT * areas[largest]:
        return FailedEstimate(
            f"the mask has two parts of similar size ({areas[largest]} and {second_area} px): which one is the head?"
        )
    region = np.zeros(foreground.shape, dtype=bool)
    region[part] = _filled(components == largest + 1)
    return region


def largest_component(foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected component (8 neighbours) of a mask (H, W), with its holes; all of an empty mask."""
    components, count = label(foreground, _EIGHT_NEIGHBOURS)
    return components == 1 + np.bincount(components.ravel())[1:].argmax() if count > 1 else foreground


def _filled(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The region and its holes: the parts of the background that do not touch the border."""
    background, count = label(~region)
    outside = np.zeros(count + 1, dtype=bool)
    for border in (background[0], background[-1], background[:, 0], background[:, -1]):
        outside[border] = True
    outside[0] = False  # the region itself
    return ~outside[background]


def outline_points(probability: NDArray[Any], region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Where the probability crosses 0.5 between the pixels of a region and their neighbours outside.

    These are the vertices of the contour that marching squares draws. Where the region touches the border of the map
    there is no neighbour, hence no outline: what is beyond is unknown.

    Args:
        probability: (H, W): above 0.5 in the region, but for its holes, and not above 0.5 beside it.
        region: (H, W), as `head_region` returns it.

    Returns:
        Array (N, 2) of (x, y), in no particular order; in px of the map, pixel centres at integers.
    """
    row, column = _where(region[:, 1:] != region[:, :-1])
    along_rows = _crossing(probability[row, column], probability[row, column + 1])
    in_rows = np.stack([column + along_rows, row], axis=1)
    row, column = _where(region[1:] != region[:-1])
    along_columns = _crossing(probability[row, column], probability[row + 1, column])
    return np.concatenate([in_rows, np.stack([column, row + along_columns], axis=1)])


def _where(condition: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    # A tenth of the time of `np.nonzero`, which is slow in two dimensions.
    row, column = np.unravel_index(np.flatnonzero(condition), condition.shape)
    return row, column


def _crossing(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Where, from 0 at the first pixel to 1 at the second, the linear interpolation is 0.5."""
    return (0.5 - first.astype(np.float64)) / (second.astype(np.float64) - first)
