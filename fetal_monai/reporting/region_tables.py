"""The tables of a region report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scipy.special import expit

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.metrics import EvaluatedFrame, RegionStatistics
from fetal_monai.reporting.report_files import write_table

REGION_TABLES = ("per_image.csv", "accuracy.csv", "precision_recall.csv", "confusion_matrix.csv", "iou.csv")

_MEAN = "mean of regions"


def write_region_tables(
    folder: Path, class_names: Sequence[str], frames: Sequence[EvaluatedFrame], statistics: RegionStatistics
) -> None:
    """Write `REGION_TABLES`: one row a frame, and the statistics of each class.

    Args:
        folder: Folder to write to.
        class_names: C of them, in the order of the network's outputs.
        frames: The evaluated frames.
        statistics: What `region_statistics` computed from them.
    """
    accuracy, average_precision, iou = (
        [*statistics.by_class[name].tolist(), statistics.means[name]]
        for name in ("accuracy", "average_precision", "iou")
    )
    rows_of_class = [*class_names, _MEAN]
    write_table(
        folder / "per_image.csv",
        [
            *("image", "frame", "labels", "winner", "right", *Box._fields, "no_box", "iou"),
            *(f"score_{name}" for name in class_names),
        ],
        _frame_rows(class_names, frames, statistics),
    )
    write_table(
        folder / "accuracy.csv",
        ["class", "frames", "accuracy", "average_precision"],
        zip(rows_of_class, [*statistics.frames, None], accuracy, average_precision, strict=True),
    )
    write_table(
        folder / "precision_recall.csv",
        ["class", "threshold", "precision", "recall"],
        _curve_rows(class_names, statistics),
    )
    write_table(
        folder / "confusion_matrix.csv",
        ["class", "frames", *class_names],
        (
            (name, frames_of_class, *row)
            for name, frames_of_class, row in zip(
                class_names, statistics.single_label_frames, statistics.confusion.tolist(), strict=True
            )
        ),
    )
    write_table(
        folder / "iou.csv",
        ["class", "frames", "iou"],
        zip(rows_of_class, [*map(len, statistics.class_overlaps), None], iou, strict=True),
    )


def _frame_rows(
    class_names: Sequence[str], frames: Sequence[EvaluatedFrame], statistics: RegionStatistics
) -> Iterator[list[Any]]:
    shared = os.path.commonpath([Path(frame.image).parent for frame in frames])
    for frame, right, iou in zip(frames, statistics.right, statistics.frame_overlaps.tolist(), strict=True):
        labels = ", ".join(name for name, shown in zip(class_names, frame.target, strict=True) if shown)
        corners = list(frame.box) if isinstance(frame.box, Box) else [None] * 4
        no_box = frame.box.reason if isinstance(frame.box, FailedEstimate) else None
        scores = expit(frame.logits).tolist()
        image = Path(frame.image).relative_to(shared).as_posix()
        yield [image, frame.index, labels, class_names[frame.winner], int(right), *corners, no_box, iou, *scores]


def _curve_rows(class_names: Sequence[str], statistics: RegionStatistics) -> Iterator[tuple[Any, ...]]:
    for name, curve in zip(class_names, statistics.curves, strict=True):
        if curve is not None:
            # The last point of a curve, recall 0, has no threshold.
            thresholds = [*expit(curve.thresholds).tolist(), None]
            points = zip(thresholds, curve.precision.tolist(), curve.recall.tolist(), strict=True)
            yield from ((name, *point) for point in points)
