"""Classification of the regions in sight: accuracy, precision and recall of each class, and confusions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve


class PrecisionRecall(NamedTuple):
    """The precision-recall curve of one class.

    Attributes:
        precision: (T + 1,), of the frames whose score is at least the threshold; the last is 1, at recall 0.
        recall: (T + 1,), falling.
        thresholds: (T,), rising.
        average_precision: The precisions' mean, each weighted by the recall gained at its threshold.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    average_precision: float


def winner_is_target(scores: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the class with the highest score is among the frame's own.

    Args:
        scores: (N, C), any scores that increase with confidence; of equal ones the first class wins.
        targets: (N, C), 1 for every class in sight, else 0.

    Returns:
        (N,).

    Raises:
        ValueError: The shapes differ, a score is not finite, or a target is neither 0 nor 1 or a frame has none.
    """
    scores, targets = _checked(scores, targets)
    return np.take_along_axis(targets, scores.argmax(axis=1, keepdims=True), axis=1)[:, 0]


def class_accuracy(scores: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.float64]:
    """Fraction of the frames of each class that are classified correctly.

    A frame is correct if its winning class is among its own. For frames with one label this is the usual accuracy of
    the class (its recall by the highest score). A frame with several labels counts, correct or not, for each of them:
    the network names one region, and any of those in sight is a correct answer. The precision-recall curves show how
    well each of several regions is found.

    Args:
        scores: As for `winner_is_target`.
        targets: As for `winner_is_target`.

    Returns:
        (C,), NaN for a class without frames.

    Raises:
        ValueError: As `winner_is_target`.
    """
    right = winner_is_target(scores, targets)
    return np.array([right[shown].mean() if shown.any() else np.nan for shown in np.asarray(targets, dtype=bool).T])


def mean_region_accuracy(scores: NDArray[Any], targets: NDArray[Any], background: int = -1) -> float:
    """Mean of `class_accuracy` over the regions: the background is left out, and regions without frames.

    Args:
        scores: As for `winner_is_target`.
        targets: As for `winner_is_target`.
        background: Index of the class that is no region.

    Returns:
        NaN where no frame shows a region.

    Raises:
        ValueError: As `winner_is_target`.
    """
    accuracy = np.delete(class_accuracy(scores, targets), background)
    known = accuracy[np.isfinite(accuracy)]
    return float(known.mean()) if len(known) else float("nan")


def precision_recall(scores: NDArray[Any], targets: NDArray[Any]) -> list[PrecisionRecall | None]:
    """The precision-recall curve of each class against all others; None for a class without frames.

    Args:
        scores: As for `winner_is_target`.
        targets: As for `winner_is_target`.

    Raises:
        ValueError: As `winner_is_target`.
    """
    scores, targets = _checked(scores, targets)
    return [_curve(score, shown) if shown.any() else None for score, shown in zip(scores.T, targets.T, strict=True)]


def class_confusion(scores: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.int64]:
    """Count which class wins on the frames of each class; frames with several labels are left out.

    Args:
        scores: As for `winner_is_target`.
        targets: As for `winner_is_target`.

    Returns:
        (C, C), row: the frame's class, column: the winning class.

    Raises:
        ValueError: As `winner_is_target`.
    """
    scores, targets = _checked(scores, targets)
    single = targets.sum(axis=1) == 1
    if not single.any():
        return np.zeros((targets.shape[1],) * 2, dtype=np.int64)
    return confusion_matrix(
        targets[single].argmax(axis=1), scores[single].argmax(axis=1), labels=np.arange(targets.shape[1])
    )


def _curve(score: NDArray[np.float64], shown: NDArray[np.bool_]) -> PrecisionRecall:
    precision, recall, thresholds = precision_recall_curve(shown, score)
    return PrecisionRecall(precision, recall, thresholds, float(average_precision_score(shown, score)))


def _checked(scores: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores, targets = np.asarray(scores, dtype=np.float64), np.asarray(targets)
    if scores.ndim != 2 or not scores.size or scores.shape != targets.shape:
        raise ValueError(f"scores and targets must both be (frames, classes), got {scores.shape} and {targets.shape}.")
    if not np.isfinite(scores).all():
        row = int(np.argmin(np.isfinite(scores).all(axis=1)))
        raise ValueError(f"scores must be finite, got {scores[row].tolist()} for frame {row} (from 0).")
    if not np.isin(targets, (0, 1)).all() or not targets.any(axis=1).all():
        row = int(np.argmin(np.isin(targets, (0, 1)).all(axis=1) & targets.any(axis=1)))
        raise ValueError(
            f"targets must be 0 or 1, with a 1 in every row, got {targets[row].tolist()} for frame {row} (from 0)."
        )
    return scores, targets.astype(bool)
