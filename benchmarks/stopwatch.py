"""Median times of the steps of a computation."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

import torch

Result = TypeVar("Result")


class Stopwatch:
    """Times steps by name.

    Args:
        warm_up: how many of the first times of each step are left out.
    """

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self._seconds: dict[str, list[float]] = {}

    def timed(self, name: str, action: Callable[[], Result]) -> Result:
        """Run an action, work on a GPU included, and return what it returns."""
        start = time.perf_counter()
        result = action()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._seconds.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def report(self) -> str:
        """Return one line a step: the median time, and how many a second that makes."""
        lines = []
        for name, seconds in self._seconds.items():
            middle, count = median(seconds[self.warm_up :]), len(seconds) - self.warm_up
            lines.append(f"{name:20s} {1000 * middle:7.1f} ms  {1 / middle:6.1f} a second  (median of {count})")
        return "\n".join(lines)
