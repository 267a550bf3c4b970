"""The time budget of a quick reproduction."""

from __future__ import annotations

import time


class Budget:
    """Share the remaining time equally among the remaining jobs.

    A job takes longer than its training's epochs: starting, caching the frames, evaluating. This overhead of the last
    job is subtracted from the share of the next one. For the first job, half of its share is subtracted.

    Args:
        seconds: Time from now on for all jobs.
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.extra_s: float | None = None

    @property
    def left_s(self) -> float:
        """Remaining time in seconds, at least 0."""
        return max(0.0, self.end - time.monotonic())

    def time_limit_s(self, jobs_left: int) -> float:
        """Return the seconds that the next job's epochs may take, at least 1; one epoch is run in any case."""
        share = self.left_s / jobs_left
        return max(1.0, share - (share / 2 if self.extra_s is None else self.extra_s))

    def note(self, job_s: float, epochs_s: float) -> None:
        """Record the time of a whole job, and of its epochs alone."""
        self.extra_s = max(0.0, job_s - epochs_s)
