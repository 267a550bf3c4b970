from typing import Any

import pytest

from fetal_monai.comparison import ComparisonError
from fetal_monai.comparison.methods import best_of_each, check_comparable, group
from fetal_monai.comparison.papers import load_papers
from fetal_monai.comparison.store import Evaluation
from tests.comparison.conftest import FRAMES, evaluation, training

DICE = [0.9] * len(FRAMES)


def test_runs_that_differ_by_chance_and_machine_are_one_method() -> None:
    runs = [
        evaluation(DICE, training(seed=2, git_commit="a", version_torch="2.8", device="cpu", max_epochs=2)),
        evaluation(DICE, training(seed=10, git_commit="b", version_torch="2.9", device="cuda", max_epochs=9)),
        evaluation(DICE, training(seed=0), device="cuda", weights="elsewhere"),
    ]
    (method,) = group(runs, load_papers())
    assert method.name == "DeepLab-v2"
    assert [each.seed for each in method.evaluations] == ["0", "2", "10"]


@pytest.mark.parametrize(
    "setting", [{"learning_rate": 0.1}, {"dilation": [1, 2]}, {"batch_size": 64}, {"bundle_version": "9"}]
)
def test_runs_that_differ_by_a_setting_are_two_methods_told_apart_by_it(setting: dict[str, Any]) -> None:
    runs = [evaluation(DICE, training(**setting)), evaluation(DICE, training(parameters=3, gmacs=4))]
    ((name, value),) = setting.items()
    assert {method.name for method in group(runs, load_papers())} == {
        f"DeepLab-v2 ({name} {value})",
        f"DeepLab-v2 ({name} unknown)",
    }


def test_the_discriminator_makes_the_papers_other_row_and_rows_keep_the_papers_order() -> None:
    adversarial = training(discriminator="FullyConvolutionalDiscriminator")
    runs = [evaluation(DICE, adversarial), evaluation(DICE, training())]
    assert [method.name for method in group(runs, load_papers())] == ["DeepLab-v2", "DeepLab-v2 + discriminator"]


def test_an_input_size_of_the_evaluation_alone_is_another_method() -> None:
    runs = [evaluation(DICE, training(), spatial_size=size) for size in ("[96, 144]", "[256, 384]")]
    assert len(group(runs, load_papers())) == 2


def test_of_a_seed_evaluated_twice_the_newest_counts() -> None:
    newest, oldest = evaluation([0.95] * 8, training()), evaluation(DICE, training())
    (method,) = group([newest, oldest], load_papers())
    assert method.evaluations == (newest,)


def test_weights_of_unknown_origin_are_no_seeds_of_a_method() -> None:
    runs = [evaluation(DICE), evaluation(DICE, training())]
    assert {method.name for method in group(runs, load_papers())} == {"DeepLab-v2", "gan_deeplab: DeepLabV2"}


def test_the_best_setting_is_chosen_by_validation_not_by_the_test() -> None:
    good_test = evaluation([0.99] * 8, training(learning_rate=1, val_dice=0.8))
    good_validation = evaluation([0.90] * 8, training(learning_rate=2, val_dice=0.85))
    other = evaluation(DICE, training(discriminator="FullyConvolutionalDiscriminator", val_dice=0.1))
    papers = load_papers()
    best = best_of_each(group([good_test, good_validation, other], papers), papers)
    assert [method.name for method in best] == ["DeepLab-v2", "DeepLab-v2 + discriminator"]
    assert best[0].evaluations == (good_validation,)


def test_a_frame_without_a_value_in_one_seed_has_no_mean() -> None:
    runs = [evaluation([0.2, *DICE[1:]], training(seed=0)), evaluation(DICE, training(seed=1))]
    (method,) = group(runs, load_papers())
    assert method.per_image("dice").iloc[0] == pytest.approx(0.55)
    difference = method.per_image("head_circumference_difference_mm")
    assert difference.isna().tolist() == [True] + [False] * 7


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
