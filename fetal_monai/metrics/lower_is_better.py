"""Comparison of losses, where MONAI expects metrics of which higher is better."""

from __future__ import annotations


def lower_is_better(current: float, best: float) -> bool:
    """Whether a loss is the lowest so far; the `metric_cmp_fn` of a trainer whose key metric is its loss.

    Args:
        current: The epoch's loss.
        best: The lowest loss so far; MONAI begins with -1, which no loss here can be.
    """
    return current < best or best < 0
