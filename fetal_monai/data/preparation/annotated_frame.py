"""Frames with the outline or the mask of the fetal head, and a check that the outline can be one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.data.io.frame import Spacing
from fetal_monai.data.preparation.drawn_mask import read_drawn_mask

# HC18's heads, of all trimesters, measure 44 to 346 mm and cover 4 to 56 % of their frames. The largest ellipse within
# a frame covers 79 %.
PLAUSIBLE_HC_MM = (30.0, 450.0)
PLAUSIBLE_COVERAGE = (0.005, 0.9)


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """One usable frame with its annotation.

    Attributes:
        image: Path of the ultrasound frame.
        filename: Path of the image below the folder of the images, under which it is reported.
        mask_name: Path of its mask, a PNG, below the folder of the masks.
        shape: (H, W) in px.
        exam: Identifier that all frames of one exam share.
        ellipse_px: The ellipse through the annotated outline, or fitted to the annotated mask.
        pixel_spacing_mm: (row, column) spacing; None when unknown.
        head_circumference_mm: The reference HC; None when the spacing is unknown.
        pixels_sha256: Digest that pixel-identical frames share.
        mask_file: The annotated mask; None where the annotation is an outline.
    """

    image: Path
    filename: str
    mask_name: str
    shape: tuple[int, int]
    exam: str
    ellipse_px: Ellipse
    pixel_spacing_mm: Spacing | None
    head_circumference_mm: float | None
    pixels_sha256: str
    mask_file: Path | None = None

    def mask(self) -> NDArray[np.bool_]:
        """The mask (H, W): the annotated one, else the ellipse, filled.

        Raises:
            FrameError: The file of the annotated mask can no longer be read.
        """
        return self.ellipse_px.rasterise(self.shape) if self.mask_file is None else read_drawn_mask(self.mask_file)


def implausible_head(ellipse_px: Ellipse, shape: tuple[int, int], pixel_spacing_mm: Spacing | None) -> str:
    """The reason why an ellipse cannot be the outline of a fetal head on an image; "" if it can.

    Args:
        ellipse_px: The ellipse on the image.
        shape: (H, W) of the image in px.
        pixel_spacing_mm: (row, column) spacing; None when unknown: then only the coverage is checked.
    """
    coverage = float(ellipse_px.rasterise(shape).mean())
    least, most = PLAUSIBLE_COVERAGE
    if not least <= coverage <= most:
        return f"the ellipse covers {coverage:.2%} of the image; expected {least:.1%} to {most:.0%}. Draw it again."
    if pixel_spacing_mm is None:
        return ""
    row_mm, column_mm = pixel_spacing_mm
    hc_mm = ellipse_px.scaled(column_mm, row_mm).perimeter
    smallest, largest = PLAUSIBLE_HC_MM
    if not smallest <= hc_mm <= largest:
        return (
            f"the head circumference of the ellipse is {hc_mm:.1f} mm; expected {smallest:g} to {largest:g} mm. "
            "Correct the pixel spacing or the ellipse."
        )
    return ""
