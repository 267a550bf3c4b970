"""Verdicts of the audit: allowed or refused, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed. A verdict itself has no truth value, so that no check can pass by accident.

    Attributes:
        allowed: True only where a rule allows it.
        why: The reason for a refusal, or what it was found to be.
    """

    allowed: bool
    why: str

    def __bool__(self) -> bool:
        raise TypeError("A verdict has no truth value: use its attribute `allowed`.")


def allow(why: str = "") -> Verdict:
    """Return a verdict that allows; `why` says what was found."""
    return Verdict(True, why)


def refuse(why: str) -> Verdict:
    """Return a verdict that refuses."""
    return Verdict(False, why)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first verdict that refuses, or one that allows if there is none."""
    found = list(verdicts)
    refused = (verdict for verdict in found if not verdict.allowed)
    return next(refused, found[0] if found else allow())
