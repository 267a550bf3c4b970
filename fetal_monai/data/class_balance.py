"""How often each frame is drawn, so that every class is seen as often as any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ClassBalance(NamedTuple):
    """What a weighted random sampler needs.

    Attributes:
        weights: (N,), how likely each frame is drawn; of sum 1.
        epoch_length: Frames to draw in an epoch.
    """

    weights: NDArray[np.float64]
    epoch_length: int


def class_balance(targets: Sequence[ArrayLike] | NDArray[Any]) -> ClassBalance:
    """Weigh frames inversely to the frequency of their classes.

    As in Toussaint et al., DLMIA 2018 (arXiv:1808.00793), an epoch has as many frames as the median class times the
    number of classes. A frame with several labels belongs to each of them in equal parts: so all classes together get
    the same weight, and a frame of one label is weighed by the inverse of its class's frequency. Classes without frames
    are left out of the count.

    Args:
        targets: (N, C), 1 for every visible class, else 0.

    Returns:
        The weights and the epoch's length.

    Raises:
        ValueError: There is no frame, or a frame has no class or another value than 0 and 1.
    """
    shown = np.asarray(targets, dtype=np.float64)
    if shown.ndim != 2 or not len(shown):
        raise ValueError(f"targets must be (frames, classes), with one frame or more, got shape {shown.shape}.")
    if not np.isin(shown, (0, 1)).all() or not shown.any(axis=1).all():
        row = int(np.argmin(np.isin(shown, (0, 1)).all(axis=1) & shown.any(axis=1)))
        raise ValueError(f"targets must be 0 or 1, with a 1 in every row, got {shown[row].tolist()} for frame {row}.")
    shares = shown / shown.sum(axis=1, keepdims=True)
    frames = shares.sum(axis=0)
    seen = frames > 0
    weights = (shares[:, seen] / frames[seen]).sum(axis=1) / seen.sum()
    return ClassBalance(weights, round(float(np.median(frames[seen])) * int(seen.sum())))
