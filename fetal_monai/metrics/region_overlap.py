"""Overlap of predicted and reference boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.localisation import box_overlap


def region_overlap(winner: int, box: Box | FailedEstimate, references: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of the box of the winning class and the expert's boxes on one frame.

    Where the expert marked the winning class, that class has the overlap, 0 if there is no box, and other marked
    classes have none: only one box is predicted. Where the expert marked other classes alone, each of them was missed:
    0. Averaged over the frames, leaving out NaN, this gives the mean IoU of each class.

    Args:
        winner: The winning class.
        box: Its box, or the reason why there is none.
        references: (C, 4), the expert's boxes in the same px as the box; rows of NaN where none is known.

    Returns:
        (C,), NaN for every class that does not count on this frame.

    Raises:
        ValueError: `references` has another shape, a row is partly NaN, or as `box_overlap`.
    """
    references = np.asarray(references, dtype=np.float64)
    if references.ndim != 2 or references.shape[1] != 4:
        raise ValueError(f"references must be (classes, 4), got {references.shape}.")
    known = np.isfinite(references).all(axis=1)
    if not (known | np.isnan(references).all(axis=1)).all():
        raise ValueError(f"a row of references must hold four finite numbers or four NaN, got {references.tolist()}.")
    overlaps = np.full(len(references), np.nan)
    if known[winner]:
        overlaps[winner] = box_overlap(box, Box(*references[winner]))
    else:
        overlaps[known] = 0.0
    return overlaps
