"""Cut the head out of the frame, for a classifier that shall see nothing else."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from numpy.typing import NDArray
from PIL import Image
from skimage.transform import AffineTransform, warp

from fetal_monai.biometry import HeadMeasurement
from fetal_monai.data import read_frame
from fetal_monai.files import atomic_path
from fetal_monai.reporting.gray_8_bit import gray_8_bit
from fetal_monai.transforms.save_about_frame import SaveAboutFramed


class SaveHeadCropd(SaveAboutFramed):
    """Writes the part of the frame within the head's bounding rectangle, as a PNG in the frame's own resolution.

    Where no head was measured nothing is written. See `crop_head` for what `margin` and `upright` do.

    Args:
        keys: The masks; ``<key>_head`` holds their measurement, see `MeasureHeadd`.
        output_dir: Folder to write to.
        source_dir: The frames' folder; its subfolders are recreated below `output_dir`.
        margin: Margin added on each side, as a fraction of the rectangle's length.
        upright: Whether the head is rotated so that its long axis is horizontal.
        options: Further arguments of `SaveAboutFramed`.

    Raises:
        ValueError: `margin` is negative or not finite.
        TypeError: `upright` is neither True nor False, such as the text "true".
    """

    default_ending = "_crop"

    def __init__(
        self,
        keys: KeysCollection,
        *,
        output_dir: str | Path,
        source_dir: str | Path | None = None,
        margin: float = 0.1,
        upright: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, output_dir=output_dir, source_dir=source_dir, **options)
        if not (isinstance(margin, (int, float)) and math.isfinite(margin) and margin >= 0):
            raise ValueError(f"crop_margin must be a finite number of at least 0, got {margin!r}.")
        if not isinstance(upright, bool):
            raise TypeError(f"crop_upright must be True or False, got {upright!r}.")
        self.margin = margin
        self.upright = upright

    def save(self, item: Mapping[Hashable, Any], key: Hashable, frame: Path) -> None:
        """Write the picture."""
        head = item[f"{key}_head"]
        if isinstance(head, HeadMeasurement):
            crop = crop_head(gray_8_bit(read_frame(frame).pixels), head, self.margin, self.upright)
            with atomic_path(self.path(frame, ".png")) as temporary:
                Image.fromarray(crop).save(temporary)


def crop_head(
    pixels: NDArray[np.uint8], head: HeadMeasurement, margin: float = 0.1, upright: bool = False
) -> NDArray[np.uint8]:
    """The bounding rectangle of the head's ellipse.

    Args:
        pixels: The frame (H, W).
        head: Its measurement.
        margin: Margin added on each side, as a fraction of the rectangle's length.
        upright: False: the rectangle is parallel to the frame's sides, its pixels are the frame's own, and it ends
            where the frame ends. True: it is parallel to the ellipse's axes, the long one horizontal (rotated by no
            more than 90 degrees, so that what is above stays above); values are interpolated, square pixels where the
            spacing is known, and 0 outside the frame.

    Returns:
        Array (h, w).
    """
    if upright:
        return _upright_crop(pixels, head, margin)
    ellipse = head.ellipse_px
    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    half_width = math.hypot(ellipse.semi_axis_a * cos, ellipse.semi_axis_b * sin) * (1 + 2 * margin)
    half_height = math.hypot(ellipse.semi_axis_a * sin, ellipse.semi_axis_b * cos) * (1 + 2 * margin)
    rows = _pixels_between(ellipse.center_y - half_height, ellipse.center_y + half_height)
    columns = _pixels_between(ellipse.center_x - half_width, ellipse.center_x + half_width)
    return pixels[rows, columns]


def _pixels_between(start: float, end: float) -> slice:
    """The pixels whose centres are between two coordinates."""
    return slice(max(math.ceil(start), 0), max(math.floor(end) + 1, 0))


def _upright_crop(pixels: NDArray[np.uint8], head: HeadMeasurement, margin: float) -> NDArray[np.uint8]:
    row_spacing, column_spacing = head.pixel_spacing_mm or (1.0, 1.0)
    finest = min(row_spacing, column_spacing)
    x_scale, y_scale = column_spacing / finest, row_spacing / finest
    ellipse = head.ellipse_px.scaled(x_scale, y_scale)
    angle = ellipse.angle_rad if ellipse.angle_rad <= math.pi / 2 else ellipse.angle_rad - math.pi
    width, height = (
        round(2 * semi_axis * (1 + 2 * margin)) for semi_axis in (ellipse.semi_axis_a, ellipse.semi_axis_b)
    )
    to_center = AffineTransform(translation=(-(width - 1) / 2, -(height - 1) / 2))
    turn = AffineTransform(rotation=angle, translation=(ellipse.center_x, ellipse.center_y))
    to_frame = AffineTransform(scale=(1 / x_scale, 1 / y_scale))
    crop = warp(pixels, to_center + turn + to_frame, output_shape=(height, width), order=1, preserve_range=True)
    return np.round(crop).astype(np.uint8)
