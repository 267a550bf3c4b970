import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fetal_monai.comparison.agreement import agreement
from fetal_monai.comparison.measures import PAIRED, Measure, mean_and_spread
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.paired import bootstrap_interval, compare_pairs, compare_two, wilcoxon_p
from tests.comparison.conftest import FRAMES, evaluation, regions_evaluation, training

DICE = Measure("dice", "Dice %", 100)
HC = Measure("head_circumference_absolute_difference_mm", "HC MAE mm")

FIRST = [0.93, 0.95, 0.97, 0.91, 0.99, 0.88, 0.96, 0.90]
SECOND = [0.90, 0.96, 0.92, 0.84, 0.97, 0.84, 0.88, 0.805]


def method(name: str, *seeds: list[float]) -> Method:
    return Method(name, tuple(evaluation(dice, training(seed=seed)) for seed, dice in enumerate(seeds)))


def exact_wilcoxon_p(differences: np.ndarray) -> float:
    """The two-sided p-value, by enumerating all possible signs of the ranks."""
    ranks = np.abs(differences).argsort().argsort() + 1
    observed = abs(ranks[differences > 0].sum() - ranks.sum() / 2)
    sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
    return float(np.mean([abs(total - ranks.sum() / 2) >= observed - 1e-9 for total in sums]))


def test_the_signed_rank_test_counts_all_signs() -> None:
    differences = np.subtract(FIRST, SECOND)
    assert wilcoxon_p(differences) == pytest.approx(exact_wilcoxon_p(differences))


def test_the_interval_of_many_frames_is_that_of_the_central_limit_theorem() -> None:
    differences = np.random.default_rng(0).normal(0.3, 2.0, 1000)
    reach = 1.96 * differences.std(ddof=1) / np.sqrt(1000)
    expected = [differences.mean() - reach, differences.mean() + reach]
    assert bootstrap_interval(differences) == pytest.approx(expected, abs=0.1 * reach)


@given(st.floats(-1, 1), st.integers(2, 20))
def test_a_constant_difference_is_certain(difference: float, count: int) -> None:
    assert bootstrap_interval(np.full(count, difference)) == (difference, difference)


def test_no_difference_has_no_significance() -> None:
    assert wilcoxon_p(np.zeros(8)) == 1


def test_two_methods_frame_by_frame() -> None:
    compared = compare_two(method("A", FIRST), method("B", SECOND), DICE)
    differences = np.subtract(FIRST, SECOND)
    assert (compared.first, compared.second, compared.frames, compared.left_out) == ("A", "B", 8, 0)
    assert compared.mean == pytest.approx(differences.mean())
    assert compared.median == pytest.approx(np.median(differences))
    low, high = compared.confidence_interval
    assert differences.min() <= low < compared.mean < high <= differences.max()
    assert compared.runs == ("seed 0",)
    assert compared.run_differences == pytest.approx((differences.mean(),))


def test_frames_are_averaged_over_seeds_and_seeds_are_paired() -> None:
    third = [value - 0.01 for value in FIRST]
    compared = compare_two(method("A", FIRST, third), method("B", SECOND, SECOND, FIRST), DICE)
    assert compared.mean == pytest.approx(np.mean(FIRST) - 0.005 - np.mean([np.mean(SECOND)] * 2 + [np.mean(FIRST)]))
    assert compared.runs == ("seed 0", "seed 1")
    expected = (np.mean(FIRST) - np.mean(SECOND), np.mean(FIRST) - 0.01 - np.mean(SECOND))
    assert compared.run_differences == pytest.approx(expected)


def test_a_head_that_one_could_not_measure_is_left_out_for_both() -> None:
    compared = compare_two(method("A", [0.3, *FIRST[1:]]), method("B", SECOND), HC)
    assert (compared.frames, compared.left_out) == (7, 1)
    assert compared.mean == pytest.approx(100 * (np.mean(SECOND[1:]) - np.mean(FIRST[1:])))
    assert compared.run_differences == pytest.approx((compared.mean,))


def test_the_folds_of_a_cross_validation_are_paired_and_taken_together() -> None:
    def folds(name: str, *values: list[float]) -> Method:
        return Method(name, tuple(evaluation(v, training(fold=f), FRAMES[:3], fold=f) for f, v in enumerate(values)))

    compared = compare_two(folds("A", FIRST[:3], FIRST[3:6]), folds("B", SECOND[:3], SECOND[3:6]), DICE)
    differences = np.subtract(FIRST, SECOND)[:6]
    assert (compared.frames, compared.mean) == (6, pytest.approx(differences.mean()))
    assert compared.runs == ("fold 0, seed 0", "fold 1, seed 0")
    assert compared.run_differences == pytest.approx((differences[:3].mean(), differences[3:].mean()))


def test_of_right_or_wrong_the_signed_rank_test_is_that_of_mcnemar() -> None:
    first_alone, second_alone = 25, 11
    differences = np.array([1.0] * first_alone + [-1.0] * second_alone + [0.0] * 40)
    statistic = (first_alone - second_alone) ** 2 / (first_alone + second_alone)
    assert wilcoxon_p(differences) == pytest.approx(stats.chi2.sf(statistic, df=1))


def test_regions_are_compared_in_right_answers_and_in_boxes_where_there_is_one() -> None:
    def told(name: str, *winners: str) -> Method:
        return Method(name, (regions_evaluation(winners, training()),))

    first, second = told("A", "head", "limbs", "limbs", "background"), told("B", "limbs", "limbs", "head", "head")
    right, boxes = compare_pairs([first, second], PAIRED)
    assert (right.measure.key, right.frames, right.mean) == ("right", 4, 0.75)
    assert (boxes.measure.key, boxes.frames, boxes.left_out) == ("iou", 1, 3)
    without_boxes = told("C", "head", "head", "head", "head")
    assert [pair.measure.key for pair in compare_pairs([first, without_boxes], PAIRED)] == ["right"]


def test_every_two_methods_are_compared_in_what_both_measured() -> None:
    methods = [method("A", FIRST), method("B", SECOND), method("C", FIRST)]
    pairs = compare_pairs(methods, [DICE, Measure("volume", "volume")])
    assert [(pair.first, pair.second) for pair in pairs] == [("A", "B"), ("A", "C"), ("B", "C")]


def test_limits_of_agreement_are_those_of_the_pooled_frames() -> None:
    seeds = ([0.3, *FIRST[1:]], SECOND)
    found = agreement(method("A", *seeds))
    assert found is not None
    differences = np.array([100 * (1 - dice) for seed in seeds for dice in seed if dice > 0.5])
    assert (len(found.difference_mm), found.unmeasured) == (15, 1)
    assert found.bias_mm == pytest.approx(differences.mean())
    reach = 1.96 * np.sqrt(np.sum((differences - differences.mean()) ** 2) / 14)
    assert found.limits_mm == pytest.approx((differences.mean() - reach, differences.mean() + reach))
    # The label's HC is 180 mm on each frame: the mean of both is half the difference above it.
    np.testing.assert_allclose(found.mean_mm, 180 + differences / 2)


def test_a_method_that_measured_nothing_has_no_agreement() -> None:
    assert agreement(method("A", [0.1] * 8)) is None


def test_spread_is_the_sample_standard_deviation_and_one_seed_has_none() -> None:
    mean, spread = mean_and_spread([1.0, 2.0, 4.0])
    assert (mean, spread) == (pytest.approx(7 / 3), pytest.approx(np.sqrt(7 / 3)))
    assert DICE.text([0.9, 0.92]) == "91.00 ± 1.41"
    assert DICE.text([0.9]) == "90.00"
    assert DICE.text([]) == ""
