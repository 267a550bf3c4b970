"""Estimation of the sector from the image, for frames without a stated geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry.picture import Edge, find_edge, find_picture
from fetal_monai.geometry.sector import Sector

MINIMUM_CONFIDENCE = 0.5
"""Estimates with less confidence are refused: a line that touches a round outline by chance reaches 0.4."""

# Largest distance of a boundary pixel from its arc or edge.
_TOLERANCE_PX = 2.0
# A pixel this close to the image's border may be cut off by it.
_BORDER_PX = 2
# Weight of a row in which the picture begins inside the edge: a redaction or a shadow hides the edge.
_HIDDEN_WEIGHT = 0.5
_SMALLEST_OPENING_RAD = 0.1
_FAR_AWAY_PX = 1e6
_BEAMS = 128
_SMALLEST_ARC = 0.25  # share of the beams


@dataclass(frozen=True, slots=True)
class SectorEstimate:
    """A sector estimated from an image.

    Attributes:
        sector: The sector, px.
        confidence: In [0, 1], the smallest of three fractions. For each edge, h / (h + o + i / 2), with the number of
            rows in which the picture begins on the edge (h), outside it (o), or inside it (i: a shadow or a redaction
            hides the edge, which hardly contradicts it). And the fraction of the picture inside the sector.
        near_arc_seen: Whether the probe's face is on the image; otherwise the depths begin where the picture begins.
        far_arc_seen: Whether the end of the beams is on the image; otherwise the depths end where the picture ends.
    """

    sector: Sector
    confidence: float
    near_arc_seen: bool
    far_arc_seen: bool


def estimate_sector(
    pixels: NDArray[Any], pixel_aspect_ratio: float = 1.0, minimum_confidence: float = MINIMUM_CONFIDENCE
) -> SectorEstimate | FailedEstimate:
    """Estimate the sector from the picture's two straight edges and, where they are visible, its two arcs.

    The edges are fitted to the first and the last pixel of the picture in each row, see `find_edge`; they meet at the
    apex. The radii are those at which most beams begin and end, or the picture's smallest and largest radius where the
    border of the image cuts off the arcs.

    Args:
        pixels: Gray levels (H, W).
        pixel_aspect_ratio: Row spacing over column spacing.
        minimum_confidence: Estimates with less confidence are refused.

    Returns:
        The estimate, or a `FailedEstimate` with the reason why there is none: no black around the picture, an edge
        outside the image, parallel edges (a linear probe), or too little confidence.

    Raises:
        ValueError: The image is not (H, W), the ratio is not positive, or `minimum_confidence` is outside [0, 1].
    """
    if np.ndim(pixels) != 2:
        raise ValueError(f"A frame must be an array (H, W), got shape {np.shape(pixels)}.")
    if not (math.isfinite(pixel_aspect_ratio) and pixel_aspect_ratio > 0):
        raise ValueError(f"pixel_aspect_ratio must be a positive number, got {pixel_aspect_ratio}.")
    if not 0 <= minimum_confidence <= 1:
        raise ValueError(f"minimum_confidence must be in [0, 1], got {minimum_confidence}.")
    picture = find_picture(np.asarray(pixels, dtype=np.float32))
    if picture is None:
        return FailedEstimate("the picture has no black surroundings, so no edge of the sector is visible")
    left, mirrored = find_edge(picture, _TOLERANCE_PX), find_edge(picture[:, ::-1], _TOLERANCE_PX)
    if left is None or mirrored is None:
        return FailedEstimate(f"the {'left' if left is None else 'right'} edge of the sector is not visible")
    fan = _fan(left, mirrored, picture.shape[1], pixel_aspect_ratio)
    if isinstance(fan, FailedEstimate):
        return fan
    if fan.apex_y * 2 > picture.shape[0]:
        return FailedEstimate("the edges of the picture meet inside it, not above it")

    near_seen, start_radius = _arc(fan, picture, far=False)
    far_seen, end_radius = _arc(fan, picture, far=True)
    if not 0 <= start_radius < end_radius:
        return FailedEstimate("the picture shows no range of depths")
    sector = replace(fan, start_radius=start_radius, end_radius=end_radius)
    confidence = min(
        _edge_share(left, picture, sector),
        _edge_share(mirrored, picture[:, ::-1], _mirrored(sector, picture.shape[1])),
        _share_inside(picture, sector),
    )
    if confidence < minimum_confidence:
        return FailedEstimate(f"the confidence in the sector is {confidence:.2f}, less than {minimum_confidence:g}")
    return SectorEstimate(sector, confidence, near_seen, far_seen)


def _fan(left: Edge, mirrored: Edge, width: int, ratio: float) -> Sector | FailedEstimate:
    """Apex and angles; the radii are not known yet and are set to the extremes."""
    right = Edge(width - 1 - mirrored.offset, -mirrored.slope)
    start, end = (math.atan(edge.slope / ratio) for edge in (left, right))
    if end - start < _SMALLEST_OPENING_RAD:
        return FailedEstimate("the edges of the picture are parallel: a linear probe, or no sector")
    apex_y = (left.offset - right.offset) / (right.slope - left.slope)
    return Sector(left.offset + left.slope * apex_y, apex_y, 0, _FAR_AWAY_PX, start, end, ratio)


def _arc(fan: Sector, picture: NDArray[np.bool_], far: bool) -> tuple[bool, float]:
    """Whether an arc is visible, and the radius at which the beams end (`far`) or begin."""
    sign = 1 if far else -1
    inside = fan.contains(picture.shape)
    limits = []
    for shown in (picture & inside, inside):
        rows, columns = np.nonzero(shown)
        fractions = fan.to_fractions(np.stack([columns, rows], axis=-1))
        limit = np.full(_BEAMS, -np.inf)
        np.maximum.at(limit, (fractions[:, 0] * _BEAMS).astype(int), sign * fractions[:, 1] * fan.end_radius)
        limits.append(limit)
    picture_limit, image_limit = limits
    begun = np.isfinite(picture_limit)
    if not begun.any():
        return False, 0.0
    # The sector ends between the last pixel inside and the first pixel outside.
    half_px = 0.5 * sign
    uncut = np.sort(picture_limit[begun & (picture_limit < image_limit - _BORDER_PX)])
    if len(uncut):
        within = np.searchsorted(uncut, uncut + _TOLERANCE_PX, side="right") - np.arange(len(uncut))
        first = within.argmax()
        if within[first] >= _SMALLEST_ARC * _BEAMS:
            return True, sign * float(np.median(uncut[first : first + within[first]])) + half_px
    return False, max(0.0, sign * float(picture_limit[begun].max()) + half_px)


def _edge_share(edge: Edge, picture: NDArray[np.bool_], sector: Sector) -> float:
    """The degree to which the picture confirms its left edge."""
    height, width = picture.shape
    rows = np.arange(max(0, math.ceil(sector.apex_y)), height)
    x = edge.x(rows)
    radius = sector.polar(np.stack([x, rows], axis=-1))[:, 0]
    on_image = (x > _BORDER_PX) & (x < width - 1 - _BORDER_PX)
    expected = on_image & (radius >= sector.start_radius) & (radius < sector.end_radius)
    first = np.where(picture.any(axis=1), picture.argmax(axis=1), width)[rows[expected]] - 0.5
    inwards = edge.distance(first, rows[expected])
    on_edge = np.count_nonzero(np.abs(inwards) <= _TOLERANCE_PX)
    outside = np.count_nonzero(inwards < -_TOLERANCE_PX)
    hidden = len(inwards) - on_edge - outside
    return float(on_edge / (on_edge + outside + _HIDDEN_WEIGHT * hidden)) if on_edge else 0.0


def _share_inside(picture: NDArray[np.bool_], sector: Sector) -> float:
    margin = _TOLERANCE_PX / sector.end_radius
    grown = replace(
        sector,
        start_radius=max(0.0, sector.start_radius - _TOLERANCE_PX),
        end_radius=sector.end_radius + _TOLERANCE_PX,
        start_angle_rad=sector.start_angle_rad - margin,
        end_angle_rad=sector.end_angle_rad + margin,
    )
    return float(np.count_nonzero(picture & grown.contains(picture.shape)) / np.count_nonzero(picture))


def _mirrored(sector: Sector, width: int) -> Sector:
    return replace(
        sector,
        apex_x=width - 1 - sector.apex_x,
        start_angle_rad=-sector.end_angle_rad,
        end_angle_rad=-sector.start_angle_rad,
    )
