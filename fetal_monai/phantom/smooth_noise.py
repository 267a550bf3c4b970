"""Smooth random variation: over a polar field, and around a closed curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_ANGLES = 2048  # of the lookup table around a closed curve


@dataclass(frozen=True, slots=True)
class SmoothField:
    """Random values on a coarse grid over depth and angle, with smooth interpolation.

    The values belong to positions in the body, not to samples of the screen: two frames of one exam share them.

    Attributes:
        knots: Values, (depth knots, angle knots).
        depth_range: First and last depth of the knots, mm from the probe face.
        angle_range: First and last angle of the knots, rad.
    """

    knots: Field
    depth_range: tuple[float, float]
    angle_range: tuple[float, float]

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        knots: tuple[int, int],
        scale: float,
        depth_range: tuple[float, float] = (0.0, 200.0),
        angle_range: tuple[float, float] = (-0.8, 0.8),
    ) -> SmoothField:
        """Draw normal knots of standard deviation `scale`."""
        return cls(rng.standard_normal(knots, dtype=np.float32) * np.float32(scale), depth_range, angle_range)

    def __call__(self, depths_mm: Field, angles_rad: Field) -> Field:
        """Values at every depth of every beam, (depths, beams); their standard deviation is near that of the knots."""
        along = _bumps(depths_mm, self.depth_range, self.knots.shape[0])
        across = _bumps(angles_rad, self.angle_range, self.knots.shape[1])
        return along @ self.knots @ across.T


@dataclass(frozen=True, slots=True)
class ClosedCurveNoise:
    """A sum of harmonics around a closed curve.

    Attributes:
        first: Number of the lowest harmonic.
        cosines: Amplitudes of the cosines, one per harmonic.
        sines: Amplitudes of the sines.
    """

    first: int
    cosines: Field
    sines: Field

    @classmethod
    def random(cls, rng: np.random.Generator, first: int, last: int, rms: float) -> ClosedCurveNoise:
        """Draw harmonics `first` to `last`; the amplitude of harmonic k is near 1/k, the sum has the given rms."""
        orders = np.arange(first, last + 1, dtype=np.float32)
        amplitudes = rng.standard_normal((2, len(orders)), dtype=np.float32) / orders
        amplitudes *= np.float32(rms / np.sqrt((amplitudes**2).sum() / 2))
        return cls(first, amplitudes[0], amplitudes[1])

    def __call__(self, angle_rad: Field) -> Field:
        """Values at the angles, of any shape."""
        # A lookup table, because there are many angles and the curve is smooth.
        cosines, sines = _harmonics(self.first, len(self.cosines))
        table = (self.cosines @ cosines + self.sines @ sines).astype(np.float32)
        return table[(angle_rad * np.float32(_ANGLES / (2 * np.pi)) + np.float32(0.5)).astype(np.int32) % _ANGLES]


@cache
def _harmonics(first: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosines and sines of consecutive orders at the angles of the lookup table, each (orders, angles)."""
    phases = np.arange(first, first + count)[:, None] * (np.arange(_ANGLES) * (2 * np.pi / _ANGLES))
    return np.cos(phases), np.sin(phases)


def _bumps(positions: Field, span: tuple[float, float], count: int) -> Field:
    """Gaussian weights of `count` evenly spaced knots, (positions, knots), with unit sum of squares."""
    knots = np.linspace(*span, count, dtype=np.float32)
    pitch = (span[1] - span[0]) / max(count - 1, 1)
    weights = np.exp(-(((positions[:, None] - knots) / np.float32(0.8 * pitch)) ** 2))
    return weights / np.sqrt((weights**2).sum(axis=1, keepdims=True) + np.float32(1e-12))
