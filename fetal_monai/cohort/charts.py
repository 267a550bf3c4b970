"""The charts of a cohort."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fetal_monai.biometry import intergrowth_head_circumference_mm
from fetal_monai.cohort.summary import Summary

_WEEKS = np.linspace(14, 40, 105)  # where the standard is defined


def charts_png(summary: Summary) -> bytes:
    """Draw the distribution of HC and, where ages are known, HC against them."""
    has_ages = bool(np.isfinite(summary.known_age_days).any())
    figure = Figure(figsize=(11 if has_ages else 5.5, 4), layout="constrained")
    axes = figure.subplots(1, 1 + has_ages, squeeze=False)[0]
    _draw_histogram(axes[0], summary)
    if has_ages:
        _draw_growth(axes[1], summary)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()


def _draw_histogram(axes: Axes, summary: Summary) -> None:
    axes.hist(summary.head_circumference_mm, bins=50, color="tab:blue")
    axes.set(xlabel="head circumference [mm]", ylabel="frames", title=f"{summary.head_circumference_mm.size:,} frames")


def _draw_growth(axes: Axes, summary: Summary) -> None:
    known = np.isfinite(summary.known_age_days)
    weeks, sizes = summary.known_age_days[known] / 7, summary.head_circumference_mm[known]
    axes.hexbin(weeks, sizes, gridsize=60, mincnt=1, cmap="Blues", bins="log" if sizes.size > 1000 else None)
    standard = np.array([intergrowth_head_circumference_mm(7 * week) for week in _WEEKS])
    for deviations in (-2, 0, 2):
        label = "INTERGROWTH-21st, mean and 2 sd" if deviations == 0 else None
        axes.plot(_WEEKS, standard[:, 0] + deviations * standard[:, 1], color="black", linewidth=1, label=label)
    axes.set(xlabel="known gestational age [weeks]", ylabel="head circumference [mm]", title=f"{sizes.size:,} frames")
    axes.legend(frameon=False)
