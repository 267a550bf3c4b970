"""Frames with the outline of the fetal head, and a check of its plausibility."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fetal_monai.biometry import Ellipse

# HC18's heads, of all trimesters, measure 44 to 346 mm and cover 4 to 56 % of their frames. The largest ellipse within
# a frame covers 79 %.
PLAUSIBLE_HC_MM = (30.0, 450.0)
PLAUSIBLE_COVERAGE = (0.005, 0.9)


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """One usable frame with its annotation.

    Attributes:
        image: Path of the ultrasound frame.
        mask_name: File name of its mask, a PNG.
        shape: (H, W) in px.
        exam: Identifier of the exam, the same for all its frames.
        ellipse_px: The ellipse through the annotated outline.
        pixel_spacing_mm: (row, column) spacing.
        head_circumference_mm: The reference HC.
        pixels_sha256: Digest of the pixels, equal for identical frames.
    """

    image: Path
    mask_name: str
    shape: tuple[int, int]
    exam: str
    ellipse_px: Ellipse
    pixel_spacing_mm: tuple[float, float]
    head_circumference_mm: float
    pixels_sha256: str

    @property
    def filename(self) -> str:
        """Name of the image without its folder."""
        return self.image.name


def implausible_head(ellipse_px: Ellipse, shape: tuple[int, int], pixel_spacing_mm: tuple[float, float]) -> str:
    """Return the reason why an ellipse cannot be the outline of a fetal head, or "" if it can.

    Args:
        ellipse_px: The ellipse on the image.
        shape: (H, W) of the image in px.
        pixel_spacing_mm: (row, column) spacing.
    """
    coverage = float(ellipse_px.rasterise(shape).mean())
    least, most = PLAUSIBLE_COVERAGE
    if not least <= coverage <= most:
        return f"the ellipse covers {coverage:.2%} of the image; expected {least:.1%} to {most:.0%}. Draw it again."
    row_mm, column_mm = pixel_spacing_mm
    hc_mm = ellipse_px.scaled(column_mm, row_mm).perimeter
    smallest, largest = PLAUSIBLE_HC_MM
    if not smallest <= hc_mm <= largest:
        return (
            f"the head circumference of the ellipse is {hc_mm:.1f} mm; expected {smallest:g} to {largest:g} mm. "
            "Correct the pixel spacing or the ellipse."
        )
    return ""
