"""What the audit says of one thing: allowed or refused, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed. Nothing is, unless `allowed` says so: a verdict itself is neither true nor false.

    Attributes:
        allowed: True only where a rule allows it.
        why: The reason for a refusal, or what it was found to be.
    """

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        raise TypeError("A verdict is neither true nor false: ask for its `allowed`.")


def allow(why: str = "") -> Verdict:
    """Return a verdict that allows; `why` is what it was found to be."""
    return Verdict(True, why)


def refuse(why: str) -> Verdict:
    """Return a verdict that refuses."""
    return Verdict(False, why)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first verdict that refuses; else one that allows."""
    found = list(verdicts)
    refused = (verdict for verdict in found if not verdict.allowed)
    return next(refused, found[0] if found else allow())
