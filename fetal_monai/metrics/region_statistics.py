"""What an evaluation of region classification and localisation finds, by frame and by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.metrics.region_classification import (
    PrecisionRecall,
    class_accuracy,
    class_confusion,
    precision_recall,
    winner_is_target,
)
from fetal_monai.metrics.region_overlap import region_overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedFrame:
    """One frame with its reference and its prediction.

    Attributes:
        image: File of the frame.
        index: Place in a cine loop; None for a single frame.
        logits: (C,).
        target: (C,), 1 for every class in sight.
        box: Box of the winning class, or the reason why there is none.
        references: (C, 4), the expert's boxes, rows of NaN where none is known.
    """

    image: str
    index: int | None
    logits: NDArray[np.float64]
    target: NDArray[np.float64]
    box: Box | FailedEstimate
    references: NDArray[np.float64]

    @property
    def winner(self) -> int:
        """Index of the class with the highest logit."""
        return int(self.logits.argmax())


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionStatistics:
    """Statistics over N frames and C classes.

    Attributes:
        frames: (C,), number of frames that show the class.
        right: (N,), whether the winning class is among the frame's own.
        curves: Precision and recall of each class; None for a class without frames.
        confusion: (C, C), over the frames with one label: the part of a class's frames (row) that each class wins
            (column); rows of NaN for a class without such frames.
        single_label_frames: (C,), number of frames that each row of `confusion` is computed from.
        frame_overlaps: (N,), intersection over union on each frame, NaN where no reference box is known.
        class_overlaps: For each class, the intersection over union on each of its frames with a reference box.
        by_class: "accuracy", "average_precision" and "iou" of each class, (C,), NaN for a class without frames.
        means: The same three, averaged over the regions: without the background and classes without frames.
    """

    frames: NDArray[np.int64]
    right: NDArray[np.bool_]
    curves: list[PrecisionRecall | None]
    confusion: NDArray[np.float64]
    single_label_frames: NDArray[np.int64]
    frame_overlaps: NDArray[np.float64]
    class_overlaps: list[NDArray[np.float64]]
    by_class: dict[str, NDArray[np.float64]]
    means: dict[str, float]


def region_statistics(frames: Sequence[EvaluatedFrame], background: int = -1) -> RegionStatistics:
    """Compute the statistics of an evaluation.

    Args:
        frames: The evaluated frames, one or more, all with the same classes.
        background: Index of the class that is no region.

    Raises:
        ValueError: As `winner_is_target` and `region_overlap`.
    """
    logits, targets = np.stack([frame.logits for frame in frames]), np.stack([frame.target for frame in frames])
    overlaps = np.stack([region_overlap(frame.winner, frame.box, frame.references) for frame in frames])
    class_overlaps = [_finite(column) for column in overlaps.T]
    curves = precision_recall(logits, targets)
    counts = class_confusion(logits, targets)
    single_label_frames = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):  # a class without frames: 0 / 0 is NaN, as it should be
        confusion = counts / single_label_frames[:, None]
    by_class = {
        "accuracy": class_accuracy(logits, targets),
        "average_precision": np.array([np.nan if curve is None else curve.average_precision for curve in curves]),
        "iou": np.array([_mean(values) for values in class_overlaps]),
    }
    return RegionStatistics(
        frames=targets.sum(axis=0).astype(int),
        right=winner_is_target(logits, targets),
        curves=curves,
        confusion=confusion,
        single_label_frames=single_label_frames,
        # The classes that count on a frame have the same overlap.
        frame_overlaps=np.array([_mean(_finite(row)) for row in overlaps]),
        class_overlaps=class_overlaps,
        by_class=by_class,
        means={name: _mean(_finite(np.delete(values, background))) for name, values in by_class.items()},
    )


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
