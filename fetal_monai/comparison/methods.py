"""Evaluations grouped by method: what differs only by the seed and the fold belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from fetal_monai.comparison.papers import Paper
from fetal_monai.comparison.store import Evaluation

# By which trainings choose their best weights, the higher the better: a training logs one of them.
_VALIDATION_METRICS = ("val_mean_dice", "val_log_likelihood")

# Parameters that do not make another method: chance, machine, where files lie, what a run is, what the data give.
_NO_METHOD = {"seed", "fold", "device", "cpu_threads", "git_commit", "stage", "section", "weights", "max_epochs"}
_NO_METHOD |= {"intensity_mean", "intensity_std", "training_frames", "validation_frames", "epoch_length", "geometry"}
# Parameters that follow from others: they name a difference only if nothing else does.
_FOLLOWING = {"parameters", "gmacs"}
# Under a time limit the machine's load decides, seed by seed, how many epochs there are.
_NO_METHOD |= {"time_limit_s"}
# Which code it was, as the git commit says it; packs have none.
_NO_METHOD |= {"code_sha256"}


@dataclass(frozen=True)
class Method:
    """The evaluations of one method, one for each seed in each fold of a cross-validation.

    Attributes:
        name: what tables and figures call it.
        evaluations: by ascending fold, then seed.
    """

    name: str
    evaluations: tuple[Evaluation, ...]

    @property
    def parameters(self) -> Mapping[str, str]:
        """What its runs logged; where a training and its evaluation differ, the evaluation's."""
        return _logged(self.evaluations[0])

    def values(self, metric: str) -> list[float]:
        """Return the metric of each evaluation that has it."""
        return [each.metrics[metric] for each in self.evaluations if metric in each.metrics]

    def per_image(self, metric: str) -> pd.Series:
        """Return the metric of each frame by fold and image: of all folds, averaged over the seeds of each.

        NaN where one of the seeds has no value.
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
        """The folds of the cross-validation, ascending; None alone where there is no fold."""
        return tuple(dict.fromkeys(each.fold for each in self.evaluations))

    @property
    def frames(self) -> int:
        """How many frames were tested, over all folds."""
        return sum({each.fold: len(each.per_image) for each in self.evaluations}.values())

    def pooled(self) -> pd.DataFrame:
        """Return what all evaluations found on each frame, one below the other."""
        return pd.concat([each.per_image for each in self.evaluations])

    def has_per_image(self, metric: str) -> bool:
        """Tell whether all evaluations measured this for each frame."""
        return all(metric in each.per_image for each in self.evaluations)


def group(evaluations: Sequence[Evaluation], papers: Sequence[Paper]) -> list[Method]:
    """Group comparable evaluations by method, in the order of the papers' rows.

    A method is what the training and the evaluation logged, without seed, fold, machine and package versions. The
    newest evaluation of a seed in a fold counts; weights whose training is not in the store are a method of their own.

    Args:
        evaluations: the newest first.
        papers: a method that a row of theirs describes is called as in that row.
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
    """Keep, of the methods that one row of a paper describes, the one that did best in validation.

    The test frames have no say in it: the score is the highest `val_mean_dice` of each training, for regions
    `val_log_likelihood`, averaged over seeds and folds. Weights whose training is unknown have no score and are kept
    where there is nothing else.
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
    """Tell identities apart by as few parameters as will do."""
    keys = sorted(
        {key for identity in identities for key in identity if len({other.get(key) for other in identities}) > 1},
        key=lambda key: (key.removeprefix("evaluation_") in _FOLLOWING, key.startswith("evaluation_"), key),
    )
    for count in range(len(keys) + 1):
        for chosen in combinations(keys, count):
            if len({tuple(identity.get(key) for key in chosen) for identity in identities}) == len(identities):
                return [", ".join(f"{key} {identity.get(key, 'unknown')}" for key in chosen) for identity in identities]
    raise AssertionError("identities are distinct")
