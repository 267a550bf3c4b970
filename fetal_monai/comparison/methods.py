"""Evaluations grouped by method: runs that differ only in the seed and the fold belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from fetal_monai.comparison.papers import Paper
from fetal_monai.comparison.store import Evaluation

# The metrics by which trainings select their best weights, higher is better: a training logs one of them.
_VALIDATION_METRICS = ("val_mean_dice", "val_log_likelihood")

# Parameters that do not make another method: randomness, machine, paths, kind of run, and what follows from the data.
_NO_METHOD = {"seed", "fold", "device", "cpu_threads", "git_commit", "stage", "section", "weights", "max_epochs"}
_NO_METHOD |= {"intensity_mean", "intensity_std", "training_frames", "validation_frames", "epoch_length", "geometry"}
# Parameters that follow from others: used to name a difference only if no other parameter differs.
_FOLLOWING = {"parameters", "gmacs"}
# Under a time limit the machine's load decides the number of epochs, for each seed.
_NO_METHOD |= {"time_limit_s"}
# The code's checksum, which stands in for the git commit in packs.
_NO_METHOD |= {"code_sha256"}


@dataclass(frozen=True)
class Method:
    """The evaluations of one method, one for each seed in each fold of a cross-validation.

    Attributes:
        name: Name in tables and figures.
        evaluations: Its evaluations, by ascending fold, then seed.
    """

    name: str
    evaluations: tuple[Evaluation, ...]

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters that its runs logged; the evaluation's take precedence over the training's."""
        return _logged(self.evaluations[0])

    def values(self, metric: str) -> list[float]:
        """Return the values of a metric, one for each evaluation that has it."""
        return [each.metrics[metric] for each in self.evaluations if metric in each.metrics]

    def per_image(self, metric: str) -> pd.Series:
        """Return the metric of each frame by fold and image, averaged over the seeds of the fold.

        NaN if one of the seeds has no value.
        """
        of_folds = {
            fold or "": pd.concat(
                [each.per_image[metric] for each in self.evaluations if each.fold == fold], axis="columns"
            ).mean(axis="columns", skipna=False)
            for fold in self.folds
        }
        return pd.concat(of_folds, names=["fold", "image"])

    @property
    def folds(self) -> tuple[str | None, ...]:
        """The folds of the cross-validation, ascending; a single None if there are no folds."""
        return tuple(dict.fromkeys(each.fold for each in self.evaluations))

    @property
    def frames(self) -> int:
        """Number of frames tested, over all folds."""
        return sum({each.fold: len(each.per_image) for each in self.evaluations}.values())

    def pooled(self) -> pd.DataFrame:
        """Return the per-frame results of all evaluations, concatenated."""
        return pd.concat([each.per_image for each in self.evaluations])

    def has_per_image(self, metric: str) -> bool:
        """Return whether all evaluations have this metric for each frame."""
        return all(metric in each.per_image for each in self.evaluations)


def group(evaluations: Sequence[Evaluation], papers: Sequence[Paper]) -> list[Method]:
    """Group comparable evaluations by method, in the order of the papers' rows.

    A method is identified by what the training and the evaluation logged, without seed, fold, machine and package
    versions. For each seed and fold, only the newest evaluation is used. Weights whose training is not in the store are
    a separate method.

    Args:
        evaluations: Evaluations, the newest first.
        papers: Papers; a method that one of their rows describes is named as in that row.
    """
    groups: dict[frozenset[tuple[str, str]], dict[tuple[str | None, str | None], Evaluation]] = {}
    for each in evaluations:
        groups.setdefault(frozenset(_identity(each).items()), {}).setdefault((each.fold, each.seed), each)
    order = [row.method for paper in papers for row in paper.rows]
    named: dict[str, list[tuple[Evaluation, ...]]] = {}
    for runs in groups.values():
        members = tuple(sorted(runs.values(), key=lambda each: (_ascending(each.fold), _ascending(each.seed))))
        named.setdefault(_name(members[0], papers), []).append(members)
    methods = []
    for name in sorted(named, key=lambda name: (order.index(name) if name in order else len(order), name)):
        differences = _differences([_identity(members[0]) for members in named[name]])
        same_name = [
            Method(f"{name} ({difference})" if difference else name, members)
            for difference, members in zip(differences, named[name], strict=True)
        ]
        methods += sorted(same_name, key=lambda method: method.name)
    return methods


def best_of_each(methods: Sequence[Method], papers: Sequence[Paper]) -> list[Method]:
    """Keep, of the methods that one row of a paper describes, the best one in validation.

    Test frames are not used: the score is the highest `val_mean_dice` of each training (for regions,
    `val_log_likelihood`), averaged over seeds and folds. Weights whose training is unknown have no score and are kept
    only if there is nothing else.
    """
    best: dict[str, Method] = {}
    for method in methods:
        name = _name(method.evaluations[0], papers)
        if name not in best or _validation_score(method) > _validation_score(best[name]):
            best[name] = method
    return [Method(name, method.evaluations) for name, method in best.items()]


def _validation_score(method: Method) -> float:
    scores = [
        max(each.training.histories[metric].values())
        for each in method.evaluations
        if each.training is not None
        for metric in _VALIDATION_METRICS
        if metric in each.training.histories
    ]
    return float(np.mean(scores)) if scores else float("-inf")


def _ascending(number: str | None) -> tuple[int, str]:
    return len(number or ""), number or ""


def _logged(evaluation: Evaluation) -> dict[str, str]:
    return {**(evaluation.training.parameters if evaluation.training else {}), **evaluation.parameters}


def _name(evaluation: Evaluation, papers: Sequence[Paper]) -> str:
    logged = _logged(evaluation)
    for paper in papers:
        for row in paper.rows:
            if row.describes(logged):
                return row.method
    return f"{logged.get('bundle')}: {logged.get('network')}"


def _identity(evaluation: Evaluation) -> dict[str, str]:
    identity = {f"evaluation_{key}": value for key, value in _method_parameters(evaluation.parameters)}
    if evaluation.training is None:
        return {**identity, "weights": evaluation.weights[-12:]}
    return {
        **identity,
        **dict(_method_parameters(evaluation.training.parameters)),
        "epochs": "within a time limit" if evaluation.training.time_limit else str(evaluation.training.epochs),
    }


def _method_parameters(parameters: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return (
        (key, value) for key, value in parameters.items() if key not in _NO_METHOD and not key.startswith("version_")
    )


def _differences(identities: Sequence[Mapping[str, str]]) -> list[str]:
    """Describe how identities differ, by as few parameters as possible."""
    keys = sorted(
        {key for identity in identities for key in identity if len({other.get(key) for other in identities}) > 1},
        key=lambda key: (key.removeprefix("evaluation_") in _FOLLOWING, key.startswith("evaluation_"), key),
    )
    for count in range(len(keys) + 1):
        for chosen in combinations(keys, count):
            if len({tuple(identity.get(key) for key in chosen) for identity in identities}) == len(identities):
                return [", ".join(f"{key} {identity.get(key, 'unknown')}" for key in chosen) for identity in identities]
    raise AssertionError("identities are distinct")
