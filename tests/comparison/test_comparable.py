import pytest

from fetal_monai.comparison.comparable import check_comparable, check_same_folds
from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.store import Evaluation
from tests.comparison.conftest import FRAMES, evaluation, training

DICE = [0.9] * len(FRAMES)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            evaluation(DICE, training(seed=1), data_fingerprint="bbbb"),
            "evaluate-train-0 was evaluated on the data aaaa, evaluate-train-1 bbbb.*--data_fingerprint",
        ),
        (
            evaluation(DICE, training(seed=1), section="validation"),
            "evaluate-train-0 was evaluated on the section test, evaluate-train-1 validation.*--section",
        ),
        (
            evaluation(DICE, training(seed=1, data_fingerprint="cccc")),
            "evaluate-train-0 was trained on the data aaaa, evaluate-train-1 cccc.*test frames",
        ),
        (
            evaluation(DICE[1:], training(seed=1), images=FRAMES[1:]),
            r"evaluate-train-0 .*000_HC.png.*\(8 frames\), evaluate-train-1 001_HC.png.*\(7 frames\)",
        ),
    ],
)
def test_what_cannot_stand_in_one_table_is_refused_and_both_are_named(other: Evaluation, message: str) -> None:
    first = evaluation(DICE, training(seed=0))
    check_comparable([first, first])
    with pytest.raises(ComparisonError, match=message):
        check_comparable([first, other])


def of_fold(fold: int, images: list[str], seed: int = 0, trained_in: int | None = None) -> Evaluation:
    trained = training(seed=seed, fold=fold if trained_in is None else trained_in)
    return evaluation(DICE[: len(images)], trained, images, fold=fold)


def test_folds_have_frames_of_their_own_and_runs_of_one_fold_the_same() -> None:
    check_comparable([of_fold(0, FRAMES[:3]), of_fold(1, FRAMES[3:]), of_fold(0, FRAMES[:3], seed=1)])
    with pytest.raises(
        ComparisonError,
        match=r"evaluate-train-0 was evaluated in fold 1 on the frames 003_HC.png.* evaluate-train-1 000_HC.png",
    ):
        check_comparable([of_fold(0, FRAMES[:3]), of_fold(1, FRAMES[3:]), of_fold(1, FRAMES[:3], seed=1)])


def test_weights_of_another_fold_have_learnt_from_the_frames() -> None:
    with pytest.raises(ComparisonError, match=r"evaluate-train-0 was evaluated on fold 1, .* in fold 0 \(train-0\)"):
        check_comparable([of_fold(1, FRAMES, trained_in=0)])


def test_methods_need_the_same_folds() -> None:
    three = Method("A", tuple(of_fold(fold, FRAMES) for fold in range(3)))
    two = Method("B", tuple(of_fold(fold, FRAMES) for fold in range(2)))
    check_same_folds([three, three])
    with pytest.raises(
        ComparisonError,
        match=r"A was evaluated in fold 0, fold 1, fold 2, B in fold 0, fold 1: .*missing folds.*--runs",
    ):
        check_same_folds([three, two])
    with pytest.raises(ComparisonError, match="B in no fold"):
        check_same_folds([three, Method("B", (evaluation(DICE, training()),))])
