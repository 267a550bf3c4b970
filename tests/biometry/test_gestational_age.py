import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fetal_monai.biometry import (
    OutOfRangeError,
    format_gestational_age,
    hadlock_gestational_age_days,
    intergrowth_gestational_age_days,
    intergrowth_head_circumference_centile,
    intergrowth_head_circumference_mm,
)

CENTILES = (3, 5, 10, 50, 90, 95, 97)
# "International Fetal Growth Standards: Head Circumference", Papageorghiou et al., Lancet 2014; 384: 869-79:
# exact week and HC in mm at each of the centiles.
PUBLISHED_CENTILES = {
    14: (87.4, 88.7, 90.7, 97.9, 105.0, 107.1, 108.4),
    16: (111.1, 112.6, 114.9, 122.9, 130.9, 133.2, 134.7),
    18: (134.9, 136.6, 139.1, 147.9, 156.7, 159.2, 160.9),
    20: (158.5, 160.2, 163.0, 172.5, 182.0, 184.7, 186.5),
    22: (181.4, 183.3, 186.2, 196.3, 206.4, 209.3, 211.2),
    24: (203.5, 205.4, 208.5, 219.1, 229.7, 232.7, 234.7),
    28: (243.6, 245.7, 248.9, 260.4, 271.8, 275.1, 277.2),
    32: (276.3, 278.5, 282.1, 294.4, 306.7, 310.2, 312.5),
    36: (299.2, 301.7, 305.6, 319.4, 333.2, 337.1, 339.6),
    38: (306.1, 308.9, 313.1, 328.1, 343.0, 347.3, 350.0),
    40: (309.6, 312.7, 317.4, 333.9, 350.5, 355.2, 358.3),
}


@pytest.mark.parametrize(("hc_mm", "weeks"), [(100, 14.66), (175, 20.02), (250, 27.15), (300, 33.26), (340, 39.11)])
def test_hadlock_gives_the_check_values(hc_mm: float, weeks: float) -> None:
    assert hadlock_gestational_age_days(hc_mm) / 7 == pytest.approx(weeks, abs=0.005)


@pytest.mark.parametrize(("hc_mm", "weeks"), [(100, 14.19), (175, 20.22), (250, 27.11), (300, 32.96), (340, 38.87)])
def test_intergrowth_age_gives_the_check_values(hc_mm: float, weeks: float) -> None:
    assert intergrowth_gestational_age_days(hc_mm) / 7 == pytest.approx(weeks, abs=0.005)


@pytest.mark.parametrize(
    ("week", "mean", "sd"), [(14, 97.88, 5.582), (20, 172.48, 7.440), (30, 278.39, 9.249), (40, 333.95, 12.924)]
)
def test_intergrowth_growth_gives_the_check_values(week: int, mean: float, sd: float) -> None:
    assert intergrowth_head_circumference_mm(7 * week) == (pytest.approx(mean, abs=0.005), pytest.approx(sd, abs=5e-4))


@pytest.mark.parametrize("week", PUBLISHED_CENTILES)
def test_published_centile_table(week: int) -> None:
    """Rounding to a tenth of a millimetre changes a centile in the middle of the distribution by less than one."""
    _, sd = intergrowth_head_circumference_mm(7 * week)
    for hc_mm, centile in zip(PUBLISHED_CENTILES[week], CENTILES, strict=True):
        rounding = 0.051 / sd * 100 / math.sqrt(2 * math.pi)
        assert intergrowth_head_circumference_centile(hc_mm, 7 * week) == pytest.approx(centile, abs=rounding)


@given(st.floats(98, 280))
@settings(deadline=None)
def test_mean_head_lies_on_the_fiftieth_centile(age_days: float) -> None:
    mean, sd = intergrowth_head_circumference_mm(age_days)
    assert intergrowth_head_circumference_centile(mean, age_days) == pytest.approx(50)
    assert intergrowth_head_circumference_centile(mean + sd, age_days) == pytest.approx(84.1345, abs=1e-3)


@given(st.floats(98, 36 * 7))
@settings(deadline=None)
def test_age_of_the_mean_head_is_the_age_itself_within_days(age_days: float) -> None:
    """Up to 36 weeks: near term, growth flattens, and a regression of age on size differs from one of size on age."""
    mean, _ = intergrowth_head_circumference_mm(age_days)
    assert intergrowth_gestational_age_days(mean) == pytest.approx(age_days, abs=3)
    assert hadlock_gestational_age_days(mean) == pytest.approx(age_days, abs=4)


@given(st.floats(98, 345), st.floats(0.1, 1))
@settings(deadline=None)
def test_a_larger_head_is_older(hc_mm: float, more_mm: float) -> None:
    assert hadlock_gestational_age_days(hc_mm + more_mm) > hadlock_gestational_age_days(hc_mm)
    assert intergrowth_gestational_age_days(hc_mm + more_mm) > intergrowth_gestational_age_days(hc_mm)


@pytest.mark.parametrize("hc_mm", [67.9, 360.1, 1000.0])
def test_hadlock_is_not_extrapolated(hc_mm: float) -> None:
    with pytest.raises(OutOfRangeError, match=f"HC {hc_mm:g} mm is outside Hadlock's range of 68 to 360 mm"):
        hadlock_gestational_age_days(hc_mm)


@pytest.mark.parametrize("hc_mm", [44.3, 97.6, 346.8, 1e6])
def test_intergrowth_age_is_not_extrapolated(hc_mm: float) -> None:
    with pytest.raises(OutOfRangeError, match=r"outside INTERGROWTH-21st's range of 14 to 40 weeks"):
        intergrowth_gestational_age_days(hc_mm)


@pytest.mark.parametrize("age_days", [97.9, 280.1])
def test_intergrowth_growth_is_not_extrapolated(age_days: float) -> None:
    with pytest.raises(OutOfRangeError, match=r"outside INTERGROWTH-21st's range of 14 to 40 weeks"):
        intergrowth_head_circumference_mm(age_days)
    with pytest.raises(OutOfRangeError):
        intergrowth_head_circumference_centile(200, age_days)


def test_the_ends_of_the_ranges_belong_to_them() -> None:
    assert hadlock_gestational_age_days(68) == pytest.approx(7 * 12.726, abs=0.01)
    assert hadlock_gestational_age_days(360) == pytest.approx(7 * 42.397, abs=0.01)
    assert intergrowth_gestational_age_days(97.7) == pytest.approx(98, abs=0.1)
    assert intergrowth_gestational_age_days(346.6) == pytest.approx(280, abs=0.2)
    intergrowth_head_circumference_mm(98)
    intergrowth_head_circumference_mm(280)


@pytest.mark.parametrize("value", [0.0, -170.0, math.nan, math.inf])
def test_impossible_values_are_errors_that_name_them(value: float) -> None:
    for dating in (hadlock_gestational_age_days, intergrowth_gestational_age_days):
        with pytest.raises(OutOfRangeError, match=rf"^HC {value:g} mm .* range of \d+ to \d+ (mm|weeks)\.$"):
            dating(value)
    with pytest.raises(ValueError, match="gestational_age_days must be a positive finite number"):
        intergrowth_head_circumference_mm(value)
    with pytest.raises(OutOfRangeError, match=rf"^HC {value:g} mm has no centile; expected a positive finite number"):
        intergrowth_head_circumference_centile(value, 140)
    with pytest.raises(ValueError, match="gestational_age_days"):
        format_gestational_age(value)


@given(st.floats())
@settings(deadline=None)
@example(1e300)  # its cube is too large for a float
@example(0.005)  # the equation gives 21 weeks
def test_any_number_has_an_age_within_the_standard_or_none(hc_mm: float) -> None:
    standards = {hadlock_gestational_age_days: (89, 297), intergrowth_gestational_age_days: (98, 280)}
    for standard, (first, last) in standards.items():
        try:
            assert first <= standard(hc_mm) <= last
        except OutOfRangeError as error:
            assert len(str(error)) < 100
    try:
        assert 0 <= intergrowth_head_circumference_centile(hc_mm, 140) <= 100
    except OutOfRangeError:
        assert not (math.isfinite(hc_mm) and hc_mm > 0)


@pytest.mark.parametrize(
    ("days", "text"), [(140, "20w+0d"), (143.99, "20w+3d"), (146.9, "20w+6d"), (147, "21w+0d"), (3, "0w+3d")]
)
def test_age_in_completed_weeks_and_days(days: float, text: str) -> None:
    assert format_gestational_age(days) == text
