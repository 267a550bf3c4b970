from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.utils.data import WeightedRandomSampler

from fetal_monai.data import class_balance

TARGETS = arrays(np.float32, st.tuples(st.integers(1, 30), st.just(4)), elements=st.sampled_from([0.0, 1.0])).map(
    lambda targets: np.where(targets.any(axis=1, keepdims=True), targets, np.eye(4, dtype=np.float32)[0])
)


def test_frames_of_one_label_are_weighed_by_the_inverse_of_their_classs_frequency() -> None:
    targets = np.eye(4)[[0] * 8 + [1] * 2 + [2] * 4]  # the fourth class has no frame
    balance = class_balance(targets)
    np.testing.assert_allclose(balance.weights, np.repeat([1 / 8, 1 / 2, 1 / 4], [8, 2, 4]) / 3)
    assert balance.epoch_length == 4 * 3


@given(TARGETS)
def test_classes_are_drawn_alike_however_many_labels_a_frame_has(targets: np.ndarray) -> None:
    weights, epoch_length = class_balance(targets)
    # The same draw in two steps: a class, then one of its frames by the frame's part in it.
    parts = targets.astype(float) / targets.sum(axis=1, keepdims=True)
    two_steps = [column / column.sum() for column in parts.T if column.any()]
    np.testing.assert_allclose(weights, np.mean(two_steps, axis=0))
    doubled = class_balance(np.tile(targets, (2, 1)))
    np.testing.assert_allclose(doubled.weights, np.tile(weights, 2) / 2)
    assert doubled.epoch_length == pytest.approx(2 * epoch_length, abs=1)


def test_a_sampler_draws_a_rare_class_as_often_as_a_common_one() -> None:
    targets = np.eye(2)[[0] * 95 + [1] * 5]
    weights, epoch_length = class_balance(targets)
    assert epoch_length == 100
    drawn = list(WeightedRandomSampler(weights.tolist(), 4000))
    assert np.mean([index >= 95 for index in drawn]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("targets", [np.zeros((0, 4)), np.zeros((2, 3)), np.full((1, 2), 0.5), np.ones(3)])
def test_what_is_no_target(targets: np.ndarray) -> None:
    with pytest.raises(ValueError, match="targets must be"):
        class_balance(targets)
