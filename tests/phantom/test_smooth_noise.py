import numpy as np
import pytest

from fetal_monai.phantom.smooth_noise import ClosedCurveNoise, SmoothField


def test_noise_around_a_curve_has_its_harmonics_and_rms_alone() -> None:
    noise = ClosedCurveNoise.random(np.random.default_rng(0), first=3, last=8, rms=0.7)
    angles = np.linspace(0, 2 * np.pi, 2048, endpoint=False, dtype=np.float32)

    values = noise(angles)

    spectrum = np.abs(np.fft.rfft(values))
    assert np.sqrt((values**2).mean()) == pytest.approx(0.7, rel=1e-3)
    assert spectrum[3:9].min() > 0
    assert np.delete(spectrum, range(3, 9)).max() < 1e-3 * spectrum.max()


def test_noise_around_a_curve_closes() -> None:
    noise = ClosedCurveNoise.random(np.random.default_rng(1), first=1, last=40, rms=1.0)

    ends = noise(np.array([-np.pi, np.pi], dtype=np.float32))

    # The values come from a table of 2048 steps.
    assert ends[0] == pytest.approx(ends[1], abs=0.05)


def test_a_field_has_about_its_scale() -> None:
    field = SmoothField.random(np.random.default_rng(0), (60, 60), scale=3.0)

    values = field(np.linspace(20, 180, 300, dtype=np.float32), np.linspace(-0.7, 0.7, 300, dtype=np.float32))

    assert values.std() == pytest.approx(3.0, rel=0.1)


def test_a_field_belongs_to_the_place_and_not_to_the_sampling() -> None:
    field = SmoothField.random(np.random.default_rng(0), (20, 10), scale=1.0)
    depths, angles = np.linspace(10, 90, 101, dtype=np.float32), np.linspace(-0.4, 0.4, 81, dtype=np.float32)

    fine, coarse = field(depths, angles), field(depths[::5], angles[::4])

    np.testing.assert_allclose(fine[::5, ::4], coarse, atol=1e-5)
