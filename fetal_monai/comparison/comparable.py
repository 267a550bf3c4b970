"""Which evaluations may stand in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.store import Evaluation


def check_comparable(evaluations: Sequence[Evaluation]) -> None:
    """Refuse evaluations that cannot stand in one table.

    Raises:
        ComparisonError: two differ in the data, the section or the frames of a fold evaluated, or in the data trained
            on; it names both. Or one was evaluated on another fold than its weights were trained in.
    """
    for each in evaluations:
        if each.training is not None and each.training.fold != each.fold:
            raise ComparisonError(
                f"{each.name} was evaluated on fold {each.fold}, its weights were trained in fold "
                f"{each.training.fold} ({each.training.name}): they may have learnt from these frames. Evaluate them "
                "with the training's --fold, or name the other runs with --runs."
            )
    choose = "Choose one with --data_fingerprint, or name the runs with --runs."
    again = "Evaluate both again on the same data set, or name the other runs with --runs."
    checks: tuple[tuple[str, Callable[[Evaluation], str | None], str], ...] = (
        ("evaluated on the data", lambda each: each.parameters.get("data_fingerprint"), choose),
        ("evaluated on the section", lambda each: each.parameters.get("section"), "Choose one with --section."),
        (
            "trained on the data",
            lambda each: None if each.training is None else each.training.parameters.get("data_fingerprint"),
            "Frames that one has trained on may be the other's test frames. Name the runs of one split with --runs.",
        ),
    )
    for what, value_of, mend in checks:
        _check_equal(evaluations, what, value_of, mend)
    for fold in dict.fromkeys(each.fold for each in evaluations):
        of_fold = [each for each in evaluations if each.fold == fold]
        what = "evaluated on the frames" if fold is None else f"evaluated in fold {fold} on the frames"
        _check_equal(of_fold, what, lambda each: _described(each.per_image.index), again)


def check_same_folds(methods: Sequence[Method]) -> None:
    """Refuse methods of a cross-validation that were not evaluated in the same folds.

    Raises:
        ComparisonError: it names two methods and their folds.
    """
    for method in methods[1:]:
        if method.folds != methods[0].folds:
            raise ComparisonError(
                f"{methods[0].name} was evaluated in {_folds(methods[0])}, {method.name} in {_folds(method)}: their "
                "figures are of different frames. Train and evaluate the missing folds, or name the runs of the common "
                "ones with --runs."
            )


def _check_equal(
    evaluations: Sequence[Evaluation], what: str, value_of: Callable[[Evaluation], str | None], mend: str
) -> None:
    known = [(value, each) for each in evaluations if (value := value_of(each)) is not None]
    for value, each in known[1:]:
        if value != known[0][0]:
            raise ComparisonError(
                f"{known[0][1].name} was {what} {known[0][0]}, {each.name} {value}: their figures cannot stand in one "
                f"table. {mend}"
            )


def _folds(method: Method) -> str:
    return ", ".join("no fold" if fold is None else f"fold {fold}" for fold in method.folds)


def _described(frames: pd.Index) -> str:
    names = sorted(frames)
    return f"{names[0]}, ..., {names[-1]} ({len(names)} frames)" if names else "none"
