from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ignite.metrics import ConfusionMatrix, Recall
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from fetal_monai.metrics import (
    class_accuracy,
    class_confusion,
    mean_region_accuracy,
    precision_recall,
    winner_is_target,
)

CLASSES = 4


def single_label_batch(frames: int = 60) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores, and one label a frame, which raises its class's score."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, frames)
    scores = random.normal(size=(frames, CLASSES))
    scores[np.arange(frames), labels] += 1
    return scores, labels


def test_single_labels_agree_with_ignite() -> None:
    scores, labels = single_label_batch()
    targets = np.eye(CLASSES)[labels]
    recall, confusion = Recall(), ConfusionMatrix(CLASSES)
    for metric in (recall, confusion):
        metric.update((torch.from_numpy(scores), torch.from_numpy(labels)))
    assert_allclose(class_accuracy(scores, targets), recall.compute())
    assert_array_equal(class_confusion(scores, targets), confusion.compute())


def test_the_mean_leaves_out_the_background_and_regions_without_frames() -> None:
    scores = np.array([[3, 2, 1, 0], [0, 1, 0, 0], [2, 0, 0, 1], [0, 0, 0, 1]])
    targets = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    # Class 0 is right on one of two frames, class 1 never, class 2 has no frame, class 3 is the background.
    assert mean_region_accuracy(scores, targets) == pytest.approx((1 / 2 + 0) / 2)
    assert mean_region_accuracy(scores, targets, background=0) == pytest.approx((0 + 1) / 2)
    assert np.isnan(mean_region_accuracy(scores[3:], targets[3:]))


def test_several_labels_by_hand() -> None:
    scores = np.array([[3, 2, 1], [3, 2, 1], [1, 2, 3], [1, 3, 2]])
    targets = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 1, 0]])
    assert winner_is_target(scores, targets).tolist() == [True, False, True, True]
    # Class 0 is on frame 0; class 1 on 0, 1, 3; class 2 on 1, 2.
    assert_allclose(class_accuracy(scores, targets), [1, 2 / 3, 1 / 2])
    # The first two frames have two labels each.
    assert class_confusion(scores, targets).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_precision_and_recall_by_counting() -> None:
    scores, labels = single_label_batch()
    targets = np.eye(CLASSES)[labels]
    targets[::5, 0] = 1  # several labels on some frames
    for score, shown, curve in zip(scores.T, targets.T == 1, precision_recall(scores, targets), strict=True):
        assert curve is not None
        expected_average, last_recall = 0.0, 0.0
        for threshold, precision, recall in reversed(
            list(zip(curve.thresholds, curve.precision, curve.recall, strict=False))
        ):
            taken = score >= threshold
            assert precision == pytest.approx((taken & shown).sum() / taken.sum())
            assert recall == pytest.approx((taken & shown).sum() / shown.sum())
            expected_average += precision * (recall - last_recall)
            last_recall = recall
        assert last_recall == 1
        assert curve.average_precision == pytest.approx(expected_average)


def test_a_class_without_frames_has_no_value() -> None:
    scores, targets = np.array([[1.0, 0, 0], [0, 1, 0]]), np.array([[1, 0, 0], [0, 1, 0]])
    assert_array_equal(class_accuracy(scores, targets), [1, 1, np.nan])
    curves = precision_recall(scores, targets)
    assert [curve is None for curve in curves] == [False, False, True]
    assert class_confusion(scores, targets)[2].sum() == 0


def test_no_frame_with_a_single_label() -> None:
    assert class_confusion(np.array([[1.0, 2.0]]), np.array([[1, 1]])).tolist() == [[0, 0], [0, 0]]


@settings(max_examples=20, deadline=None)
@given(arrays(np.float64, (6, 3), elements=st.integers(-40, 40).map(float)), st.permutations(range(6)))
def test_neither_a_rising_function_nor_the_order_of_frames_matters(
    scores: NDArray[np.float64], order: list[int]
) -> None:
    targets = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0]])
    moved = 3 * scores[order] + 1
    assert_allclose(class_accuracy(scores, targets), class_accuracy(moved, targets[order]))
    assert_array_equal(class_confusion(scores, targets), class_confusion(moved, targets[order]))
    for before, after in zip(precision_recall(scores, targets), precision_recall(moved, targets[order]), strict=True):
        assert before is not None and after is not None
        assert before.average_precision == pytest.approx(after.average_precision)


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        ([[1, 2]], [[1, 0, 0]], r"got \(1, 2\) and \(1, 3\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), r"must both be \(frames, classes\), got \(0, 2\)"),
        ([[1, 2], [np.nan, 1]], [[1, 0], [0, 1]], r"must be finite, got \[nan, 1.0\] for frame 1"),
        ([[1, 2], [2, 1]], [[1, 0], [0, 0]], r"with a 1 in every row, got \[0, 0\] for frame 1"),
        ([[1, 2], [2, 1]], [[1, 0], [0, 2]], r"must be 0 or 1, .* got \[0, 2\] for frame 1"),
    ],
)
def test_what_cannot_be_evaluated(scores: list[list[float]], targets: list[list[int]], message: str) -> None:
    for function in (winner_is_target, class_accuracy, precision_recall, class_confusion):
        with pytest.raises(ValueError, match=message):
            function(np.array(scores), np.array(targets))
