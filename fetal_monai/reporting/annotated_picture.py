"""Pictures for checking a result by eye: the enlarged frame, lines on it, a caption below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TEXT_COLOUR = (240, 240, 240)
QUIET_COLOUR = (150, 150, 150)
WARNING_COLOUR = (255, 120, 90)
CAPTION_BACKGROUND = (24, 24, 24)

SUPERSAMPLING = 4  # lines are drawn this much larger and reduced: Pillow has no antialiasing of its own
LONGEST_SIDE_PX = (800, 1600)  # small frames are enlarged so that lines and letters do not hide them

Point: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]
Line: TypeAlias = list[tuple[str, Colour]]  # of the caption: pieces of text, each with its colour


def display_scale(shape: tuple[int, ...], pixel_spacing_mm: tuple[float, float] | None) -> tuple[float, float]:
    """Pixels of the picture per column and per row of a frame (H, W), so that the anatomy is true and large enough."""
    row_spacing, column_spacing = pixel_spacing_mm or (1.0, 1.0)
    finest = min(row_spacing, column_spacing)
    x_scale, y_scale = column_spacing / finest, row_spacing / finest
    longest = max(shape[1] * x_scale, shape[0] * y_scale)
    zoom = float(np.clip(longest, *LONGEST_SIDE_PX)) / longest
    return x_scale * zoom, y_scale * zoom


def draw_lines(picture: Image.Image, lines: Iterable[Sequence[Point]], colour: Colour, width: float) -> None:
    """Draw lines of a width in px through points of the picture, whose pixels have their centres at half integers."""
    coverage = Image.new("L", (picture.width * SUPERSAMPLING, picture.height * SUPERSAMPLING))
    draw = ImageDraw.Draw(coverage)
    for line in lines:
        # Pillow counts from pixel centres.
        enlarged = [(x * SUPERSAMPLING - 0.5, y * SUPERSAMPLING - 0.5) for x, y in line]
        draw.line(enlarged, 255, round(width * SUPERSAMPLING), joint="curve")
    picture.paste(colour, mask=coverage.reduce(SUPERSAMPLING))


def font_size(picture: Image.Image) -> int:
    """Readable font size for a picture, px."""
    return max(14, round(picture.width / 45))


def with_caption(picture: Image.Image, lines: Sequence[Line]) -> Image.Image:
    """The picture with lines of text below it."""
    size = font_size(picture)
    margin, line_height, gap = size, round(1.5 * size), 1.2
    height = picture.height + 2 * margin + line_height * len(lines)
    framed = Image.new("RGB", (picture.width, height), CAPTION_BACKGROUND)
    framed.paste(picture)
    draw = ImageDraw.Draw(framed)
    for row, line in enumerate(lines):
        font = ImageFont.load_default(size)
        length = sum(font.getlength(text) for text, _ in line) + gap * size * (len(line) - 1)
        shrink = min(1.0, (picture.width - 2 * margin) / length)  # a portrait frame or a long name
        font = ImageFont.load_default(size * shrink)
        x, y = float(margin), picture.height + margin + (row + 0.5) * line_height
        for text, colour in line:
            draw.text((x, y), text, colour, font, anchor="lm")
            x += font.getlength(text) + gap * size * shrink
    return framed
