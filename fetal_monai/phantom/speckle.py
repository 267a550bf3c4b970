"""Speckle: the interference pattern of many scatterers that are too small to be resolved."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float32]


def echo_envelope(
    rng: np.random.Generator,
    scatter: Field,
    reflection: Field,
    pulse_sigma: float,
    beam_sigma: float,
    looks: int = 1,
) -> Field:
    """Envelope of the echo of diffuse scatterers and smooth reflectors, before compression.

    Every sample scatters with a random complex amplitude; the pulse (along the depth) and the beam (across) blur the
    sum. Where nothing reflects, the envelope follows Rayleigh's distribution, whose mean is 1.91 times its standard
    deviation; a reflector adds a coherent part, which makes it Rice's (Wagner, Smith, Sandrik and Lopez, "Statistics
    of speckle in ultrasound B-scans", IEEE Trans. Sonics Ultrason. 30, 1983). The beam's width is constant in angle,
    so the speckle widens with depth on the screen.

    Spatial compounding averages the envelopes of several looks from different directions, whose speckle is independent:
    with n looks the mean is 1.91 sqrt(n) times the standard deviation.

    Args:
        rng: Source of the random numbers.
        scatter: Root-mean-square amplitude of the diffuse echo, (depths, beams).
        reflection: Amplitude of the coherent echo, (depths, beams).
        pulse_sigma: Standard deviation of the pulse in samples along the depth, at least 0.5.
        beam_sigma: Standard deviation of the beam in samples across, at least 0.5.
        looks: Number of looks that are averaged.

    Returns:
        The envelope, float32 (depths, beams).

    Raises:
        ValueError: The two fields differ in shape, or a width is below half a sample.
    """
    if scatter.shape != reflection.shape:
        raise ValueError(
            f"Scatter and reflection must have one shape (depths, beams), got {scatter.shape} and {reflection.shape}."
        )
    if not min(pulse_sigma, beam_sigma) >= 0.5:
        raise ValueError(
            "The grid is too coarse for the speckle: pulse_sigma and beam_sigma must be at least 0.5 samples, "
            f"got {pulse_sigma} and {beam_sigma}."
        )
    # Blurring white noise lowers its standard deviation to 1 / sqrt(4 pi sigma_depth sigma_beam); undo that.
    gain = math.sqrt(4 * math.pi * pulse_sigma * beam_sigma)
    parts = rng.standard_normal((looks, 2, *scatter.shape), dtype=np.float32)
    parts *= np.float32(gain / math.sqrt(2)) * scatter
    parts[:, 0] += reflection
    blurred = gaussian_filter(parts, (0, 0, pulse_sigma, beam_sigma), truncate=3)
    return np.hypot(blurred[:, 0], blurred[:, 1]).mean(axis=0)
