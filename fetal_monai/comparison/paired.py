"""Paired comparison of two methods on the same frames, with confidence intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fetal_monai.comparison.measures import Measure
from fetal_monai.comparison.methods import Method


@dataclass(frozen=True)
class PairedDifference:
    """The difference between two methods in one metric, first minus second, in the metric's own unit.

    Attributes:
        first: Name of the first method.
        second: Name of the second method.
        measure: Measure that was compared.
        frames: Number of frames for which both have a value.
        left_out: Number of frames for which one of them has no value, such as an HC that could not be measured.
        mean: Mean over the frames.
        median: Median over the frames.
        confidence_interval: 95 % bootstrap interval of the mean (bias-corrected and accelerated, over the frames).
        wilcoxon_p: Two-sided p-value of the Wilcoxon signed-rank test.
        runs: Seeds, and folds of a cross-validation, that both were trained with.
        run_differences: For each of these runs, the mean difference over the frames for which both have a value.
    """

    first: str
    second: str
    measure: Measure
    frames: int
    left_out: int
    mean: float
    median: float
    confidence_interval: tuple[float, float]
    wilcoxon_p: float
    runs: tuple[str, ...]
    run_differences: tuple[float, ...]


def compare_pairs(methods: Sequence[Method], measures: Sequence[Measure]) -> list[PairedDifference]:
    """Compare every pair of methods in every measure that both have for each frame."""
    compared = [
        compare_two(first, second, measure)
        for measure in measures
        for first, second in combinations(methods, 2)
        if first.has_per_image(measure.key) and second.has_per_image(measure.key)
    ]
    return [each for each in compared if each.frames]


def compare_two(first: Method, second: Method, measure: Measure) -> PairedDifference:
    """Compare two methods frame by frame. Values are averaged over a method's seeds, and all folds are pooled."""
    every = first.per_image(measure.key) - second.per_image(measure.key)
    differences = every.dropna().to_numpy()
    of_first, of_second = (
        {each.chance: each.per_image[measure.key] for each in method.evaluations if each.chance is not None}
        for method in (first, second)
    )
    runs = {run: float((of_first[run] - of_second[run]).mean()) for run in of_first if run in of_second}
    return PairedDifference(
        first=first.name,
        second=second.name,
        measure=measure,
        frames=len(differences),
        left_out=len(every) - len(differences),
        mean=float(differences.mean()) if len(differences) else float("nan"),
        median=float(np.median(differences)) if len(differences) else float("nan"),
        confidence_interval=bootstrap_interval(differences),
        wilcoxon_p=wilcoxon_p(differences),
        runs=tuple(runs),
        run_differences=tuple(runs.values()),
    )


def bootstrap_interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean (Efron 1987): the mean itself if all are equal, NaN below two values."""
    if len(differences) < 2:
        return float("nan"), float("nan")
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    interval = stats.bootstrap((differences,), np.mean, rng=0).confidence_interval
    return float(interval.low), float(interval.high)


def wilcoxon_p(differences: NDArray[np.float64]) -> float:
    """Return the p-value of the signed-rank test (Wilcoxon 1945); 1 where no frame differs."""
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
