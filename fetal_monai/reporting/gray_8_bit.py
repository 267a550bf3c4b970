"""Gray values of any frame for display."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def gray_8_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return 8-bit frames as they are, others windowed between their 0.5th and 99.5th percentile.

    Args:
        pixels: The frame (H, W).
    """
    low, high = 0.0, 255.0
    if pixels.min() < 0 or pixels.max() > 255 or pixels.max() <= 1:
        low, high = (float(value) for value in np.percentile(pixels, [0.5, 99.5]))
        if high <= low:
            low, high = float(pixels.min()), float(pixels.max())
    return np.round(np.clip((pixels - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
