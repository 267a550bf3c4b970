"""One gray frame in memory, and checks of its pixels and its spacing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fetal_monai.geometry import UltrasoundRegion

Spacing: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """One gray ultrasound frame.

    Attributes:
        pixels: float32 array (H, W), row 0 at the top, in the file's own grey levels.
        pixel_spacing_mm: (row, column) spacing of all pixels in mm, or None if the file states none or several, see
            `ultrasound_regions`.
        ultrasound_regions: The regions that a DICOM file states, each with its own spacing, see
            `fetal_monai.geometry.spacing_at`. If empty, `pixel_spacing_mm` applies to all pixels.
        study: The patient and the study that a DICOM file states, see
            `fetal_monai.data.io.dicom_study.read_study`. These are personal data, so `repr` does not show them.
    """

    pixels: NDArray[np.float32]
    pixel_spacing_mm: Spacing | None
    ultrasound_regions: tuple[UltrasoundRegion, ...] = ()
    study: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def stated_spacings_mm(self) -> list[Spacing]:
        """Every spacing that the file states for a part of this frame."""
        height, width = self.pixels.shape
        of_regions = [region.pixel_spacing_mm for region in self.ultrasound_regions if region.is_on((height, width))]
        return of_regions or ([] if self.pixel_spacing_mm is None else [self.pixel_spacing_mm])


def usable_spacing(spacing: Spacing) -> Spacing | None:
    """Return the spacing, or None if one of its numbers cannot be a length in mm."""
    return spacing if all(math.isfinite(value) and value > 0 for value in spacing) else None


def unusable_pixels(pixels: NDArray[np.float32]) -> str | None:
    """Return what is wrong with the pixels of a decoded frame and how to fix it, or None if they are usable."""
    if pixels.size == 0:
        return f"the frame has no pixels (size {pixels.shape}); export it again."
    if not np.isfinite(pixels).all():
        count = int(np.count_nonzero(~np.isfinite(pixels)))
        return (
            f"{count} of {pixels.size} pixels are NaN or infinite; expected finite grey levels. "
            "Export the frame again or replace these pixels."
        )
    return None


def blank_pixels(pixels: NDArray[np.float32]) -> str | None:
    """Return the reason why pixels show nothing, or None if they show something."""
    return f"every pixel is {pixels.flat[0]:g}: no image content." if pixels.min() == pixels.max() else None
