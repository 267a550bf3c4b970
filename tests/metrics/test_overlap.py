import numpy as np
import pytest
import torch
from monai.metrics import DiceMetric

from fetal_monai.metrics import Overlap


def _one_hot(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([~mask, mask]).astype(np.float32))


@pytest.fixture
def masks() -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return [rng.random((9, 11)) > 0.4 for _ in range(5)], [rng.random((9, 11)) > 0.6 for _ in range(5)]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sensitivity", lambda p, t: (p & t).sum() / t.sum()),
        ("specificity", lambda p, t: (~p & ~t).sum() / (~t).sum()),
        ("precision", lambda p, t: (p & t).sum() / p.sum()),
        ("threat score", lambda p, t: (p & t).sum() / (p | t).sum()),
        ("f1 score", lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum())),
    ],
)
def test_per_image_values_are_the_formulas(masks, name, formula) -> None:  # type: ignore[no-untyped-def]
    predicted, true = masks
    metric = Overlap(name)
    metric([_one_hot(m) for m in predicted], [_one_hot(m) for m in true])
    expected = [formula(p, t) for p, t in zip(predicted, true, strict=True)]
    np.testing.assert_allclose(metric.get_buffer().flatten(), expected, rtol=1e-6)
    assert metric.aggregate().item() == pytest.approx(np.mean(expected))


def test_f1_is_monais_dice(masks) -> None:  # type: ignore[no-untyped-def]
    predicted, true = ([_one_hot(m) for m in each] for each in masks)
    overlap, dice = Overlap("f1 score"), DiceMetric(include_background=False)
    overlap(predicted, true)
    dice(predicted, true)
    assert overlap.aggregate().item() == pytest.approx(dice.aggregate().item())


def test_dice_is_that_of_the_jaccard_index_in_every_image(masks) -> None:  # type: ignore[no-untyped-def]
    predicted, true = ([_one_hot(m) for m in each] for each in masks)
    dice, jaccard = Overlap("f1 score"), Overlap("threat score")
    dice(predicted, true)
    jaccard(predicted, true)
    index = jaccard.get_buffer()
    torch.testing.assert_close(dice.get_buffer(), 2 * index / (1 + index))


def test_a_measure_that_does_not_exist_for_an_image_is_left_out_of_the_mean() -> None:
    head, nothing = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    metric = Overlap("precision")
    metric([_one_hot(nothing), _one_hot(head)], [_one_hot(head), _one_hot(head)])
    assert metric.get_buffer()[0].isnan()
    assert metric.aggregate().item() == 1.0
