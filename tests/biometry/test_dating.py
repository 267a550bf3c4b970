from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.biometry import (
    Dating,
    date_pregnancy,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
)


@given(st.floats() | st.none(), st.floats(1, 300))
def test_an_age_from_a_dating_scan_is_never_replaced(circumference_mm: float | None, known_days: float) -> None:
    dating = date_pregnancy(circumference_mm, known_days)
    assert dating is not None
    assert dating.gestational_age_days == known_days


@given(st.floats(97.7, 346.6))
def test_within_its_range_intergrowth_is_used(circumference_mm: float) -> None:
    dating = date_pregnancy(circumference_mm, None)
    assert isinstance(dating, Dating)
    assert dating.gestational_age_days == intergrowth_gestational_age_days(circumference_mm)
    assert dating.basis.startswith("INTERGROWTH-21st")


@given(st.floats(68, 97.6) | st.floats(346.7, 360))
def test_outside_it_hadlock_is_used(circumference_mm: float) -> None:
    dating = date_pregnancy(circumference_mm, None)
    assert isinstance(dating, Dating)
    assert dating.gestational_age_days == hadlock_gestational_age_days(circumference_mm)
    assert dating.basis.startswith("Hadlock")


@pytest.mark.parametrize("circumference_mm", [None, 67.9, 360.1, math.nan, math.inf])
def test_outside_both_there_is_no_age(circumference_mm: float | None) -> None:
    assert date_pregnancy(circumference_mm, None) is None
