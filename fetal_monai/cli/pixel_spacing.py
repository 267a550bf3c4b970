"""The option `--pixel-spacing-mm`."""

from __future__ import annotations


def pixel_spacing(text: str) -> float | tuple[float, float]:
    """Read 0.12, or 0.12,0.14 as (row, column)."""
    lengths = [float(length) for length in text.split(",")]
    if len(lengths) == 1:
        return lengths[0]
    row, column = lengths
    return row, column
