"""Time several things in turn, so that what else the machine does falls on all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from statistics import median
from typing import TypeVar

from tqdm import tqdm

Name = TypeVar("Name", bound=Hashable)
WARM_UP = 1


def timed_in_turn(actions: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, list[float]]:
    """Run all actions in each round, and begin each round with another one.

    Args:
        actions: What to time, by name.
        rounds: How often each is timed, after one round that is not.

    Returns:
        By name, the seconds of each round.
    """
    names = list(actions)
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    for number in tqdm(range(WARM_UP + rounds), desc="Timing", unit="round"):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            actions[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: taken[WARM_UP:] for name, taken in seconds.items()}


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median over the rounds of the ratio of two times in the same round."""
    return median(first / second for first, second in zip(above, below, strict=True))
