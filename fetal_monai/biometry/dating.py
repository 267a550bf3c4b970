"""Which gestational age to use where several are available."""

from __future__ import annotations

from typing import NamedTuple

from fetal_monai.biometry.gestational_age import (
    OutOfRangeError,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
)


class Dating(NamedTuple):
    """A gestational age and its basis.

    Attributes:
        gestational_age_days: The age in days.
        basis: Where the age comes from, and why it is the one to use.
    """

    gestational_age_days: float
    basis: str


def date_pregnancy(head_circumference_mm: float | None, known_age_days: float | None) -> Dating | None:
    """The gestational age to use, from the head circumference and an age that is known otherwise.

    An age from a dating scan is used whenever it is known: a later measurement does not change it (ISUOG Practice
    Guidelines: ultrasound assessment of fetal biometry and growth, 2019, https://doi.org/10.1002/uog.20272). Otherwise
    the age is that of INTERGROWTH-21st, the standard that the centiles are from, and that of Hadlock 1984 where the
    head circumference is outside INTERGROWTH-21st's range.

    Args:
        head_circumference_mm: HC, None when unknown.
        known_age_days: Age from a dating scan, None when unknown.

    Returns:
        The age, or None when neither is known or the head circumference is outside the ranges of both standards.

    Example:
        >>> date_pregnancy(175.0, None).basis
        'INTERGROWTH-21st from the HC: the standard of the centiles'
        >>> date_pregnancy(175.0, 143.0).gestational_age_days
        143.0
    """
    if known_age_days is not None:
        return Dating(known_age_days, "dating scan: a later HC does not change it")
    if head_circumference_mm is None:
        return None
    try:
        days = intergrowth_gestational_age_days(head_circumference_mm)
        return Dating(days, "INTERGROWTH-21st from the HC: the standard of the centiles")
    except OutOfRangeError:
        pass
    try:
        days = hadlock_gestational_age_days(head_circumference_mm)
        return Dating(days, "Hadlock from the HC: outside INTERGROWTH-21st's range")
    except OutOfRangeError:
        return None
