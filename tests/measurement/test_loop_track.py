import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.measurement.loop_track import MEDIAN_FRAMES, frame_to_report, smoothed_track

SWEEP = list(150 + 50 * np.sin(np.linspace(0, np.pi, 61)))  # through a head and out of it: largest in the middle


def test_a_single_wrong_frame_does_not_change_the_track() -> None:
    wrong: list[float | None] = [*SWEEP]
    wrong[30] = 320.0
    assert smoothed_track(wrong)[30] == pytest.approx(SWEEP[30], rel=0.01)


def test_frames_without_a_measurement_stay_without() -> None:
    track = smoothed_track([100.0, None, 102.0, None])
    assert np.isnan(track[[1, 3]]).all()
    assert np.isfinite(track[[0, 2]]).all()
    assert np.isnan(smoothed_track([None, None])).all()


@given(st.floats(50, 400), st.integers(1, 30))
def test_a_constant_track_stays(value: float, count: int) -> None:
    np.testing.assert_array_equal(smoothed_track([value] * count), value)


@given(st.lists(st.floats(50, 400), min_size=1, max_size=40), st.floats(0.5, 2))
def test_the_unit_does_not_matter(values: list[float], factor: float) -> None:
    scaled = smoothed_track([value * factor for value in values])
    np.testing.assert_allclose(scaled, smoothed_track([*values]) * factor)


def test_the_largest_stable_head_is_reported() -> None:
    middle = range(30 - MEDIAN_FRAMES // 2, 31 + MEDIAN_FRAMES // 2)
    assert frame_to_report(SWEEP, [True] * len(SWEEP)) in middle


def test_neither_an_outlier_nor_a_doubtful_frame_is_reported() -> None:
    values: list[float | None] = [*SWEEP]
    values[10] = 330.0
    certain = [True] * len(SWEEP)
    certain[25:36] = [False] * 11
    chosen = frame_to_report(values, certain)
    assert chosen in (24, 36)


def test_a_loop_without_a_certain_frame_has_none_to_report() -> None:
    assert frame_to_report(SWEEP, [False] * len(SWEEP)) is None
    assert frame_to_report([None, None], [True, True]) is None
