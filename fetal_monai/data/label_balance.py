"""Sampling weights with which all classes are drawn equally often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ClassBalance(NamedTuple):
    """Arguments of a weighted random sampler.

    Attributes:
        weights: (N,), the probability of each frame; their sum is 1.
        epoch_length: Number of frames to draw per epoch.
    """

    weights: NDArray[np.float64]
    epoch_length: int


def class_balance(targets: Sequence[ArrayLike] | NDArray[Any]) -> ClassBalance:
    """Weight frames inversely to the frequency of their classes.

    As in Toussaint et al., DLMIA 2018 (arXiv:1808.00793), an epoch has as many frames as the median class times the
    number of classes. A frame with several labels belongs to each of these classes in equal parts. All classes
    therefore have the same total weight, and a frame with one label is weighted by the inverse frequency of its class.
    Classes without frames are ignored.

    Args:
        targets: (N, C), 1 for every visible class, otherwise 0.

    Returns:
        The weights and the length of an epoch.

    Raises:
        ValueError: There are no frames, or a frame has no class or a value other than 0 and 1.
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
