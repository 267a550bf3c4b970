"""The curves of the growth chart."""

from __future__ import annotations

from typing import Any

from scipy.special import ndtri

from fetal_monai.biometry import hadlock_gestational_age_days, intergrowth_head_circumference_mm

_CENTILES = (3, 10, 50, 90, 97)
_WEEKS = [14 + step / 4 for step in range(105)]
_HADLOCK_MM = range(68, 361, 4)


def growth_chart() -> dict[str, Any]:
    """The chart's curves as points (weeks, mm).

    Returns:
        "intergrowth", the centiles of INTERGROWTH-21st by their numbers, and "hadlock", the age that Hadlock 1984 gives
        each head circumference.
    """
    standard = [intergrowth_head_circumference_mm(7 * weeks) for weeks in _WEEKS]
    return {
        "intergrowth": {
            centile: [
                (weeks, round(mean + float(ndtri(centile / 100)) * sd, 2))
                for weeks, (mean, sd) in zip(_WEEKS, standard, strict=True)
            ]
            for centile in _CENTILES
        },
        "hadlock": [(round(hadlock_gestational_age_days(mm) / 7, 3), mm) for mm in _HADLOCK_MM],
    }
