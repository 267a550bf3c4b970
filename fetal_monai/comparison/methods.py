"""Evaluations grouped by method: what differs only by the seed belongs together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.papers import Paper
from fetal_monai.comparison.store import Evaluation

VALIDATION_METRIC = "val_dice"

# Parameters that do not make another method: chance, machine, where files lie, what a run is, what the data give.
_NO_METHOD = {"seed", "device", "git_commit", "stage", "section", "weights", "max_epochs"}
_NO_METHOD |= {"intensity_mean", "intensity_std"}
# Parameters that follow from others: they name a difference only if nothing else does.
_FOLLOWING = {"parameters", "gmacs", "epoch_length"}
# Under a time limit the machine's load decides, seed by seed, how many epochs there are.
_NO_METHOD |= {"time_limit_s"}


@dataclass(frozen=True)
class Method:
    """The evaluations of one method, one for each seed.

    Attributes:
        name: what tables and figures call it.
        evaluations: by ascending seed.
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
        """Return the metric of each frame, averaged over the seeds; NaN where one of them has no value."""
        columns = [each.per_image[metric] for each in self.evaluations]
        return pd.concat(columns, axis="columns").mean(axis="columns", skipna=False)

    def has_per_image(self, metric: str) -> bool:
        """Tell whether all evaluations measured this for each frame."""
        return all(metric in each.per_image for each in self.evaluations)


def check_comparable(evaluations: Sequence[Evaluation]) -> None:
    """Refuse evaluations that cannot stand in one table.

    Raises:
        ComparisonError: two differ in the data, the section or the frames evaluated, or in the data trained on; it
            names both.
    """
    choose = "Choose one with --data_fingerprint, or name the runs with --runs."
    checks: tuple[tuple[str, Callable[[Evaluation], str | None], str], ...] = (
        ("evaluated on the data", lambda each: each.parameters.get("data_fingerprint"), choose),
        ("evaluated on the section", lambda each: each.parameters.get("section"), "Choose one with --section."),
        (
            "trained on the data",
            lambda each: None if each.training is None else each.training.parameters.get("data_fingerprint"),
            "Frames that one has trained on may be the other's test frames. Name the runs of one split with --runs.",
        ),
        (
            "evaluated on the frames",
            lambda each: _described(each.per_image.index),
            "Evaluate both again on the same data set, or name the other runs with --runs.",
        ),
    )
    for what, value_of, mend in checks:
        known = [(value, each) for each in evaluations if (value := value_of(each)) is not None]
        for value, each in known[1:]:
            if value != known[0][0]:
                raise ComparisonError(
                    f"{known[0][1].name} was {what} {known[0][0]}, {each.name} {value}: their figures cannot stand in "
                    f"one table. {mend}"
                )


def group(evaluations: Sequence[Evaluation], papers: Sequence[Paper]) -> list[Method]:
    """Group comparable evaluations by method, in the order of the papers' rows.

    A method is what the training and the evaluation logged, without seed, machine and package versions. The newest
    evaluation of a seed counts; weights whose training is not in the store are a method of their own.

    Args:
        evaluations: the newest first.
        papers: a method that a row of theirs describes is called as in that row.
    """
    groups: dict[frozenset[tuple[str, str]], dict[str | None, Evaluation]] = {}
    for each in evaluations:
        groups.setdefault(frozenset(_identity(each).items()), {}).setdefault(each.seed, each)
    order = [row.method for paper in papers for row in paper.rows]
    named: dict[str, list[tuple[Evaluation, ...]]] = {}
    for seeds in groups.values():
        members = tuple(sorted(seeds.values(), key=lambda each: (len(each.seed or ""), each.seed or "")))
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

    The test frames have no say in it: the score is the highest `val_dice` of each training, averaged over the seeds.
    Weights whose training is unknown have no score and are kept where there is nothing else.
    """
    best: dict[str, Method] = {}
    for method in methods:
        name = _name(method.evaluations[0], papers)
        if name not in best or _validation_score(method) > _validation_score(best[name]):
            best[name] = method
    return [Method(name, method.evaluations) for name, method in best.items()]


def _validation_score(method: Method) -> float:
    scores = [
        max(each.training.histories.get(VALIDATION_METRIC, {}).values(), default=float("-inf"))
        for each in method.evaluations
        if each.training is not None
    ]
    return float(np.mean(scores)) if scores else float("-inf")


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


def _described(frames: pd.Index) -> str:
    names = sorted(frames)
    return f"{names[0]}, ..., {names[-1]} ({len(names)} frames)" if names else "none"
