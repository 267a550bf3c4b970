"""The polar image of a sector, and the mapping between its pixels and the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.geometry.box import box_edges, boxes_from_edges
from fetal_monai.geometry.checks import check_points, check_shape
from fetal_monai.geometry.polar_frame import PolarFrame
from fetal_monai.geometry.sector import Sector

Points = NDArray[np.float64]

# Number of sample points per side of a box. With the points where an arc is lowest or widest, the box is exact.
_SIDE_POINTS = 33


@dataclass(frozen=True, slots=True)
class PolarGrid:
    """A polar image of a sector: row = depth, column = angle, both evenly spaced.

    Each pixel covers an equal part of the angles and of the depths, and shows the middle of that part. So the border of
    the image, half a pixel beyond the outermost pixel centres, is the outline of the sector for any size.

    Attributes:
        geometry: The sector on the frame, or the frame itself if it is already polar.
        size: (depths, angles) of the polar image, its (H, W).
        depth_trim: Fraction of the depth range omitted at each end: reverberation near the probe, noise at the far
            end. The reference method omits 0.1.

    Raises:
        ValueError: `depth_trim` is outside [0, 0.5), or the size is not two positive numbers.
    """

    geometry: Sector | PolarFrame
    size: tuple[int, int] = (224, 224)
    depth_trim: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_shape(self.size))
        if not 0 <= self.depth_trim < 0.5:
            raise ValueError(
                f"depth_trim, the fraction omitted at each end, must be in [0, 0.5), got {self.depth_trim}."
            )

    def to_polar(self, points: NDArray[Any]) -> Points:
        """Map points on the frame to the polar image.

        Args:
            points: Array (..., 2) of (x, y) on the frame, px.

        Returns:
            Array (..., 2) of (x, y) = (angle's column, depth's row) on the polar image, px; not clipped to it.
        """
        across, along = np.moveaxis(self.geometry.to_fractions(points), -1, 0)
        along = (along - self.depth_trim) / (1 - 2 * self.depth_trim)
        return np.stack([across * self.size[1] - 0.5, along * self.size[0] - 0.5], axis=-1)

    def to_frame(self, points: NDArray[Any]) -> Points:
        """Map points (..., 2) of (x, y) on the polar image to the frame, the inverse of `to_polar`."""
        x, y = check_points(points)
        along = self.depth_trim + (y + 0.5) / self.size[0] * (1 - 2 * self.depth_trim)
        return self.geometry.from_fractions(np.stack([(x + 0.5) / self.size[1], along], axis=-1))

    def boxes_to_polar(self, boxes: NDArray[Any]) -> Points:
        """The boxes on the polar image that enclose boxes on the frame.

        Args:
            boxes: Array (N, 4) on the frame, px; each row is a `Box`.

        Returns:
            Array (N, 4) of boxes on the polar image, clipped to it; NaN for a box outside it.

        Raises:
            ValueError: `boxes` is not (N, 4).
        """
        edges = box_edges(boxes)
        if isinstance(self.geometry, Sector):
            # No part of a sector is above its apex, where angles are not continuous.
            above = edges[:, 3] <= self.geometry.apex_y
            edges[above] = np.nan
            edges[:, 1] = np.maximum(edges[:, 1], self.geometry.apex_y)
            nearest = (self.geometry.apex_x, self.geometry.apex_y)
        else:
            nearest = (np.nan, np.nan)
        return _enclosing_boxes(self.to_polar(_outlines(edges, nearest)), self.size)

    def boxes_to_frame(self, boxes: NDArray[Any], shape: tuple[int, int]) -> Points:
        """The boxes on the frame that enclose boxes on the polar image.

        Args:
            boxes: Array (N, 4) on the polar image, px; each row is a `Box`.
            shape: (H, W) of the frame, to which the boxes are clipped.

        Returns:
            Array (N, 4) of boxes on the frame; NaN for a box outside it.

        Raises:
            ValueError: `boxes` is not (N, 4).
        """
        # An arc is lowest straight down. No angle reaches +-pi/2, so it is widest at its ends.
        lowest = np.nan
        if isinstance(self.geometry, Sector):
            lowest = float(self.to_polar(np.array([self.geometry.apex_x, self.geometry.apex_y + 1]))[0])
        outlines = _outlines(box_edges(boxes), (lowest, np.nan))
        return _enclosing_boxes(self.to_frame(outlines), check_shape(shape))


def _outlines(edges: Points, extreme: tuple[float, float]) -> Points:
    """Points on the outline of each box, (N, P, 2), including those nearest to `extreme` (x, y)."""
    left, top, right, bottom = edges.T[:, :, None]
    steps = np.linspace(0, 1, _SIDE_POINTS)
    x = left + steps * (right - left)
    y = top + steps * (bottom - top)
    if np.isfinite(extreme[0]):
        x = np.concatenate([x, np.clip(extreme[0], left, right)], axis=1)
    if np.isfinite(extreme[1]):
        y = np.concatenate([y, np.clip(extreme[1], top, bottom)], axis=1)
    sides = [np.stack(np.broadcast_arrays(*side), axis=-1) for side in ((x, top), (x, bottom), (left, y), (right, y))]
    return np.concatenate(sides, axis=1)


def _enclosing_boxes(points: Points, shape: tuple[int, int]) -> Points:
    """The box around each of N sets of points (N, P, 2), clipped to an image (H, W); NaN where nothing is left."""
    height, width = shape
    edges = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    edges = np.clip(edges, -0.5, np.array([width, height, width, height]) - 0.5)
    empty = ~((edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1]))
    edges[empty] = np.nan
    return boxes_from_edges(edges)
