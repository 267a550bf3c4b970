import math

import numpy as np
import pytest
from scipy import stats

from fetal_monai.geometry import Sector
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.speckle import echo_envelope

RAYLEIGH_SNR = math.sqrt(math.pi / (4 - math.pi))  # 1.913


def homogeneous(looks: int = 1, scatter: float = 1.0, reflection: float = 0.0) -> np.ndarray:
    shape = (600, 500)
    return echo_envelope(
        np.random.default_rng(0),
        np.full(shape, scatter, dtype=np.float32),
        np.full(shape, reflection, dtype=np.float32),
        pulse_sigma=1.5,
        beam_sigma=2.0,
        looks=looks,
    )


def test_uniform_tissue_has_rayleigh_speckle() -> None:
    envelope = homogeneous()

    assert envelope.mean() / envelope.std() == pytest.approx(RAYLEIGH_SNR, rel=0.02)
    # Samples ten beam widths apart are independent.
    apart = envelope[::15, ::20].ravel()
    assert stats.kstest(apart, stats.rayleigh(scale=1 / math.sqrt(2)).cdf).pvalue > 0.01


def test_the_mean_power_is_the_scatter_amplitude_squared() -> None:
    assert (homogeneous(scatter=0.3) ** 2).mean() == pytest.approx(0.09, rel=0.03)


@pytest.mark.parametrize("looks", [2, 4])
def test_compounding_smooths_by_the_root_of_the_looks(looks: int) -> None:
    envelope = homogeneous(looks=looks)

    assert envelope.mean() / envelope.std() == pytest.approx(RAYLEIGH_SNR * math.sqrt(looks), rel=0.03)


def test_a_reflector_gives_rices_distribution() -> None:
    envelope = homogeneous(scatter=0.5, reflection=1.2)

    sigma = 0.5 / math.sqrt(2)
    expected = stats.rice(1.2 / sigma, scale=sigma)
    assert envelope.mean() == pytest.approx(expected.mean(), rel=0.01)
    assert envelope.std() == pytest.approx(expected.std(), rel=0.03)


def test_speckle_widens_with_depth_on_the_screen() -> None:
    sector = Sector(apex_x=300, apex_y=0, start_radius=100, end_radius=500, start_angle_rad=-0.6, end_angle_rad=0.6)
    grid = BeamGrid.of(sector, (500, 600), depths=400, beams=300)
    ones = np.ones((400, 300), dtype=np.float32)
    rng = np.random.default_rng(0)
    screens = np.stack([grid.scan_convert(echo_envelope(rng, ones, 0 * ones, 1.0, 6.0)) for _ in range(12)])

    def lateral_width(row: int) -> float:
        """Lag in px at which the speckle around the middle beam has lost half of its correlation."""
        reach = row // 5  # rows follow the arcs this far
        strip = screens[:, row - 10 : row + 10, 300 - reach : 300 + reach] - screens.mean()
        lags = np.arange(1, reach)
        correlation = np.array([(strip[:, :, lag:] * strip[:, :, :-lag]).mean() for lag in lags]) / (strip**2).mean()
        return float(np.interp(-0.5, -correlation, lags))

    assert lateral_width(440) / lateral_width(160) == pytest.approx(440 / 160, rel=0.15)


def test_bad_arguments_are_refused() -> None:
    rng, ones = np.random.default_rng(0), np.ones((20, 20), dtype=np.float32)
    with pytest.raises(ValueError, match=r"one shape .* \(20, 20\) and \(20, 10\)"):
        echo_envelope(rng, ones, ones[:, :10], 1, 1)
    with pytest.raises(ValueError, match=r"at least 0\.5 samples, got 0\.2 and 1"):
        echo_envelope(rng, ones, ones, 0.2, 1)
