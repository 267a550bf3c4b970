"""Check that evaluations can be compared in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.store import Evaluation


def check_comparable(evaluations: Sequence[Evaluation]) -> None:
    """Refuse evaluations that cannot be compared in one table.

    Raises:
        ComparisonError: Two evaluations differ in the data, the section or the frames of a fold that they were
            evaluated on, or in the data that they were trained on; the message names both. Or one was evaluated on
            another fold than its weights were trained in.
    """
    for each in evaluations:
        if each.training is not None and each.training.fold != each.fold:
            raise ComparisonError(
                f"{each.name} was evaluated on fold {each.fold}, but its weights were trained in fold "
                f"{each.training.fold} ({each.training.name}): they may have learnt from these frames. Evaluate them "
                "with the --fold of the training, or select the other runs with --runs."
            )
    choose = "Choose one with --data_fingerprint, or select the runs with --runs."
    again = "Evaluate both again on the same data set, or select the other runs with --runs."
    checks: tuple[tuple[str, Callable[[Evaluation], str | None], str], ...] = (
        ("evaluated on the data", lambda each: each.parameters.get("data_fingerprint"), choose),
        ("evaluated on the section", lambda each: each.parameters.get("section"), "Choose one with --section."),
        (
            "trained on the data",
            lambda each: None if each.training is None else each.training.parameters.get("data_fingerprint"),
            "The training frames of one may be test frames of the other. Select the runs of one split with --runs.",
        ),
    )
    for what, value_of, fix in checks:
        _check_equal(evaluations, what, value_of, fix)
    for fold in dict.fromkeys(each.fold for each in evaluations):
        of_fold = [each for each in evaluations if each.fold == fold]
        what = "evaluated on the frames" if fold is None else f"evaluated in fold {fold} on the frames"
        _check_equal(of_fold, what, lambda each: _described(each.per_image.index), again)


def check_same_folds(methods: Sequence[Method]) -> None:
    """Refuse methods of a cross-validation that were not evaluated in the same folds.

    Raises:
        ComparisonError: The folds of two methods differ; the message names the methods and their folds.
    """
    for method in methods[1:]:
        if method.folds != methods[0].folds:
            raise ComparisonError(
                f"{methods[0].name} was evaluated in {_folds(methods[0])}, {method.name} in {_folds(method)}: their "
                "results are on different frames. Train and evaluate the missing folds, or select the runs of the "
                "common folds with --runs."
            )


def _check_equal(
    evaluations: Sequence[Evaluation], what: str, value_of: Callable[[Evaluation], str | None], fix: str
) -> None:
    known = [(value, each) for each in evaluations if (value := value_of(each)) is not None]
    for value, each in known[1:]:
        if value != known[0][0]:
            raise ComparisonError(
                f"{known[0][1].name} was {what} {known[0][0]}, {each.name} {value}: their results cannot be compared "
                f"in one table. {fix}"
            )


def _folds(method: Method) -> str:
    return ", ".join("no fold" if fold is None else f"fold {fold}" for fold in method.folds)


def _described(frames: pd.Index) -> str:
    names = sorted(frames)
    return f"{names[0]}, ..., {names[-1]} ({len(names)} frames)" if names else "none"
