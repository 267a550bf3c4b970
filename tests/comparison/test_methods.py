from typing import Any

import pytest

from fetal_monai.comparison.methods import best_of_each, group
from fetal_monai.comparison.papers import load_papers
from tests.comparison.conftest import FRAMES, evaluation, regions_evaluation, training

DICE = [0.9] * len(FRAMES)


def test_runs_that_differ_by_chance_and_machine_are_one_method() -> None:
    runs = [
        evaluation(
            DICE, training(seed=2, git_commit="a", code_sha256="a", version_torch="2.8", device="cpu", max_epochs=2)
        ),
        evaluation(
            DICE, training(seed=10, git_commit="b", code_sha256="b", version_torch="2.9", device="cuda", max_epochs=9)
        ),
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
    good_test = evaluation([0.99] * 8, training(learning_rate=1, val_mean_dice=0.8))
    good_validation = evaluation([0.90] * 8, training(learning_rate=2, val_mean_dice=0.85))
    other = evaluation(DICE, training(discriminator="FullyConvolutionalDiscriminator", val_mean_dice=0.1))
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


def test_folds_are_one_method_and_each_frame_is_tested_in_one() -> None:
    runs = [
        evaluation(
            [dice] * 2,
            training(seed=seed, fold=fold, training_frames=60 - fold, epoch_length=16 - fold),
            FRAMES[:2],
            fold=fold,
            epoch_length=12 + fold,
        )
        for fold, seed, dice in ((10, 0, 0.9), (1, 1, 0.8), (1, 0, 0.6))
    ]
    (method,) = group(runs, load_papers())
    assert method.folds == ("1", "10")
    assert [(each.fold, each.seed) for each in method.evaluations] == [("1", "0"), ("1", "1"), ("10", "0")]
    assert method.frames == 4
    # In fold 1 the mean over its seeds; frames of the same name in two folds remain two frames.
    assert method.per_image("dice").tolist() == pytest.approx([0.7, 0.7, 0.9, 0.9])
    assert len(method.pooled()) == 6


def test_polar_or_not_stands_beside_the_same_row() -> None:
    logged: dict[str, Any] = {"network": "SoftProposalNetwork", "backbone": "resnet18"}
    winners = ["head", "limbs", "limbs", "background"]
    runs = [
        regions_evaluation(winners, training(polar=polar, fold=fold, **logged), fold=fold, polar=polar, **logged)
        for polar in (True, False)
        for fold in (0, 1)
    ]
    assert [method.name for method in group(runs, load_papers())] == [
        "Soft proposal, ResNet-18 (polar False)",
        "Soft proposal, ResNet-18 (polar True)",
    ]


def test_the_best_setting_of_a_region_method_is_the_likeliest_in_validation() -> None:
    logged: dict[str, Any] = {"network": "SoftProposalNetwork", "backbone": "resnet18"}
    winners = ["head", "limbs", "limbs", "background"]
    unlikely, likely = (
        regions_evaluation(winners, training(0, value, "val_log_likelihood", learning_rate=value, **logged), **logged)
        for value in (-0.5, -0.2)
    )
    papers = load_papers()
    (best,) = best_of_each(group([unlikely, likely], papers), papers)
    assert best.evaluations == (likely,)
