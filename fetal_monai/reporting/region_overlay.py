"""Draw a localised region on its frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.reporting.annotated_picture import (
    QUIET_COLOUR,
    TEXT_COLOUR,
    WARNING_COLOUR,
    Line,
    display_scale,
    draw_lines,
    with_caption,
)
from fetal_monai.reporting.gray_8_bit import gray_8_bit

BOX_COLOUR = (255, 196, 0)
HEAT_COLOURS = colormaps["inferno"]
HEAT_OPACITY = 0.55  # of the strongest response


def draw_region_overlay(
    pixels: NDArray[np.float32],
    heat: NDArray[np.float32],
    box: Box | FailedEstimate,
    region: str,
    scores: Mapping[str, float],
    origin: Sequence[str],
    pixel_spacing_mm: tuple[float, float] | None = None,
) -> Image.Image:
    """A picture of the frame with the response as colour, the box, and a caption with region and scores.

    Args:
        pixels: The frame (H, W).
        heat: The winning class's response (H, W), from 0 (the frame shows through) to 1.
        box: The region's box, px of the frame, or the reason why there is none.
        region: The winning class.
        scores: Score of each class, in [0, 1].
        origin: Contents of the last line: the frame's name, its place in a loop, the origin of its sector.
        pixel_spacing_mm: (row, column) spacing; the picture is stretched to the true proportions.
    """
    x_scale, y_scale = display_scale(pixels.shape, pixel_spacing_mm)
    size = (round(pixels.shape[1] * x_scale), round(pixels.shape[0] * y_scale))
    gray = Image.fromarray(gray_8_bit(pixels)).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    strength = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.BILINEAR))
    colour = Image.fromarray((HEAT_COLOURS(strength)[..., :3] * 255).astype(np.uint8))
    opacity = Image.fromarray((np.clip(strength, 0, 1) * HEAT_OPACITY * 255).astype(np.uint8))
    picture = Image.composite(colour, gray, opacity)
    if isinstance(box, Box):
        # A box counts from the outer edge of the first pixel, as the picture does.
        left, right = box.x_min * x_scale, box.x_max * x_scale
        top, bottom = box.y_min * y_scale, box.y_max * y_scale
        outline = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        draw_lines(picture, [outline], BOX_COLOUR, width=2)
    return with_caption(picture, _caption(box, region, scores, origin))


def _caption(box: Box | FailedEstimate, region: str, scores: Mapping[str, float], origin: Sequence[str]) -> list[Line]:
    where = (_corners(box), BOX_COLOUR) if isinstance(box, Box) else (box.reason, WARNING_COLOUR)
    others = sorted((name for name in scores if name != region), key=lambda name: -scores[name])
    return [
        [(f"{region} {scores[region]:.2f}", TEXT_COLOUR), where],
        [(f"{name} {scores[name]:.2f}", QUIET_COLOUR) for name in others],
        [(text, QUIET_COLOUR) for text in origin],
    ]


def _corners(box: Box) -> str:
    return f"box x {box.x_min:.0f} to {box.x_max:.0f}, y {box.y_min:.0f} to {box.y_max:.0f} px"
