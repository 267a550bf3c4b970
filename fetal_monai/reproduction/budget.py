"""The minutes of a quick reproduction, shared out among its jobs."""

from __future__ import annotations

import time


class Budget:
    """Shares the time that is left equally among the jobs that are left.

    A job costs more than its training's epochs: starting, caching the frames, evaluating. The last job's extra cost is
    taken off the next one's share; before there is one, half a share is.

    Args:
        seconds: from now, for all jobs.
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.extra_s: float | None = None

    @property
    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.end - time.monotonic())

    def time_limit_s(self, jobs_left: int) -> float:
        """Return the seconds that the next job's epochs may take: at least 1, in which one epoch is done anyway."""
        share = self.left_s / jobs_left
        return max(1.0, share - (share / 2 if self.extra_s is None else self.extra_s))

    def note(self, job_s: float, epochs_s: float) -> None:
        """Note what a whole job took, and its epochs alone."""
        self.extra_s = max(0.0, job_s - epochs_s)
