"""Head circumference to gestational age and centile, by two published standards.

Hadlock FP, Deter RL, Harrist RB, Park SK. "Estimating fetal age: computer-assisted analysis of multiple fetal
growth parameters." Radiology 152(2), 1984, https://doi.org/10.1148/radiology.152.2.6739822.

Papageorghiou AT et al. "International standards for fetal growth based on serial ultrasound measurements: the
Fetal Growth Longitudinal Study of the INTERGROWTH-21st Project." Lancet 384, 2014,
https://doi.org/10.1016/S0140-6736(14)61490-2.

Papageorghiou AT et al. "Ultrasound-based gestational-age estimation in late pregnancy." Ultrasound in Obstetrics
& Gynecology 48, 2016, https://doi.org/10.1002/uog.15894.

Outside the range of a standard every function raises `OutOfRangeError`, for NaN and infinity too; nothing is
extrapolated.
"""

from __future__ import annotations

import math

from scipy.special import ndtr

_DAYS_PER_WEEK = 7
_HADLOCK_RANGE_MM = (68.0, 360.0)
_INTERGROWTH_RANGE_WEEKS = (14, 40)
# The range in which the equation gives these ages. It is not valid elsewhere: for 0.005 mm it would give 21 weeks.
_INTERGROWTH_RANGE_MM = (97.6757, 346.6758)


class OutOfRangeError(ValueError):
    """The value is outside the range for which the standard was published."""


def hadlock_gestational_age_days(head_circumference_mm: float) -> float:
    """Gestational age from the head circumference, Hadlock 1984.

    GA in weeks = 8.96 + 0.540 c + 0.0003 c^3, with c the head circumference in cm.

    Args:
        head_circumference_mm: HC, 68 to 360 mm.

    Returns:
        Gestational age in days.

    Raises:
        OutOfRangeError: HC is outside 68..360 mm.

    Example:
        >>> format_gestational_age(hadlock_gestational_age_days(175.0))
        '20w+0d'
    """
    smallest, largest = _HADLOCK_RANGE_MM
    if not smallest <= head_circumference_mm <= largest:
        raise OutOfRangeError(
            f"HC {head_circumference_mm:.6g} mm is outside Hadlock's range of {smallest:.0f} to {largest:.0f} mm."
        )
    circumference_cm = head_circumference_mm / 10
    return _DAYS_PER_WEEK * (8.96 + 0.540 * circumference_cm + 0.0003 * circumference_cm**3)


def intergrowth_gestational_age_days(head_circumference_mm: float) -> float:
    """Gestational age from the head circumference, INTERGROWTH-21st (Papageorghiou 2016).

    ln(GA in days) = 0.05970 ln(HC)^2 + 6.409e-9 HC^3 + 3.3258, HC in mm.

    Args:
        head_circumference_mm: HC that corresponds to an age between 14 and 40 weeks (97.7 to 346.7 mm).

    Returns:
        Gestational age in days.

    Raises:
        OutOfRangeError: The age is outside 14..40 weeks.

    Example:
        >>> format_gestational_age(intergrowth_gestational_age_days(175.0))
        '20w+1d'
    """
    smallest, largest = _INTERGROWTH_RANGE_MM
    if not smallest <= head_circumference_mm <= largest:
        first, last = _INTERGROWTH_RANGE_WEEKS
        raise OutOfRangeError(
            f"HC {head_circumference_mm:.6g} mm gives an age outside INTERGROWTH-21st's range of "
            f"{first} to {last} weeks."
        )
    return math.exp(0.05970 * math.log(head_circumference_mm) ** 2 + 6.409e-9 * head_circumference_mm**3 + 3.3258)


def intergrowth_head_circumference_mm(gestational_age_days: float) -> tuple[float, float]:
    """Mean and standard deviation of the head circumference at an age, INTERGROWTH-21st (Papageorghiou 2014).

    With w the age in weeks:
    mean = -28.2849 + 1.69267 w^2 - 0.397485 w^2 ln w;
    sd = 1.98735 + 0.0136772 w^3 - 0.00726264 w^3 ln w + 0.000976253 w^3 (ln w)^2.

    Args:
        gestational_age_days: 98 to 280 days (14 to 40 weeks).

    Returns:
        Mean and standard deviation in mm.

    Raises:
        OutOfRangeError: The age is outside 14..40 weeks.
        ValueError: The age is not a positive finite number.
    """
    _check_age(gestational_age_days)
    weeks = gestational_age_days / _DAYS_PER_WEEK
    first, last = _INTERGROWTH_RANGE_WEEKS
    if not first <= weeks <= last:
        raise OutOfRangeError(
            f"{format_gestational_age(gestational_age_days)} is outside INTERGROWTH-21st's range of "
            f"{first} to {last} weeks."
        )
    log_weeks = math.log(weeks)
    mean = -28.2849 + 1.69267 * weeks**2 - 0.397485 * weeks**2 * log_weeks
    sd = 1.98735 + weeks**3 * (0.0136772 - 0.00726264 * log_weeks + 0.000976253 * log_weeks**2)
    return mean, sd


def intergrowth_head_circumference_centile(head_circumference_mm: float, gestational_age_days: float) -> float:
    """Centile of a head circumference at an age known otherwise, INTERGROWTH-21st (Papageorghiou 2014).

    The age must come from another source, such as an early dating scan: an age estimated from the same HC gives
    about the 50th centile, whatever the growth.

    Args:
        head_circumference_mm: HC in mm.
        gestational_age_days: 98 to 280 days (14 to 40 weeks).

    Returns:
        Centile, 0..100, of the normal distribution with the standard's mean and deviation.

    Raises:
        OutOfRangeError: The age is outside 14..40 weeks, or HC is not a positive finite number.
        ValueError: The age is not a positive finite number.
    """
    if not (math.isfinite(head_circumference_mm) and head_circumference_mm > 0):
        raise OutOfRangeError(f"HC {head_circumference_mm:.6g} mm has no centile; expected a positive finite number.")
    mean, sd = intergrowth_head_circumference_mm(gestational_age_days)
    return 100 * float(ndtr((head_circumference_mm - mean) / sd))


def format_gestational_age(gestational_age_days: float) -> str:
    """Gestational age in obstetric notation: completed weeks and completed days.

    Raises:
        ValueError: The age is not a positive finite number.

    Example:
        >>> format_gestational_age(143.9)
        '20w+3d'
    """
    _check_age(gestational_age_days)
    weeks, days = divmod(math.floor(gestational_age_days), _DAYS_PER_WEEK)
    return f"{weeks}w+{days}d"


def _check_age(gestational_age_days: float) -> None:
    if not (math.isfinite(gestational_age_days) and gestational_age_days > 0):
        raise ValueError(f"gestational_age_days must be a positive finite number, got {gestational_age_days}.")
