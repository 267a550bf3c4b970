"""The results of an evaluation of region classification and localisation: tables, a summary, and figures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
from ignite.engine import Engine, Events
from matplotlib.figure import Figure
from monai.utils import convert_to_numpy
from numpy.typing import NDArray
from scipy.special import expit

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files import atomic_path
from fetal_monai.localisation import Box
from fetal_monai.metrics import (
    PrecisionRecall,
    class_accuracy,
    class_confusion,
    precision_recall,
    region_overlap,
    winner_is_target,
)
from fetal_monai.reporting.region_figures import confusion_figure, overlap_figure, precision_recall_figure
from fetal_monai.reporting.report_files import summary_table, write_summary, write_table

TABLES = ("per_image.csv", "accuracy.csv", "precision_recall.csv", "confusion_matrix.csv", "iou.csv")
FIGURES = ("precision_recall.png", "confusion_matrix.png", "iou.png")
NOT_LOCALISED = FailedEstimate("not localised")
MEAN = "mean of regions"


@dataclass(frozen=True)
class _Evaluated:
    """One frame with what is known of it and what was predicted."""

    image: str
    index: int | None
    logits: NDArray[np.float64]  # (C,)
    target: NDArray[np.float64]  # (C,)
    box: Box | FailedEstimate
    references: NDArray[np.float64]  # (C, 4), NaN where unknown

    @property
    def winner(self) -> int:
        return int(self.logits.argmax())


@dataclass(frozen=True)
class _Results:
    """What is found over N frames and C classes."""

    frames: NDArray[np.int64]  # (C,)
    right: NDArray[np.bool_]  # (N,)
    curves: list[PrecisionRecall | None]  # C of them
    confusion: NDArray[np.float64]  # (C, C), rows sum to 1 or are NaN
    single_label_frames: NDArray[np.int64]  # (C,)
    overlaps: NDArray[np.float64]  # (N, C)
    overlaps_of_class: list[NDArray[np.float64]]  # C of them
    measures: dict[str, NDArray[np.float64]]  # (C,) each


class RegionReport:
    """Writes what an evaluation found, and prints the means.

    ``per_image.csv``
        a row a frame: its file below the folder that all frames share, labels, winning class, score of each class
        (sigmoid of its logit), box, IoU. So a row is called the same wherever the data set lies.
    ``accuracy.csv``
        accuracy (see `class_accuracy`) and average precision of each class.
    ``precision_recall.csv``, ``precision_recall.png``
        the precision-recall curve of each class.
    ``confusion_matrix.csv``, ``confusion_matrix.png``
        over the frames with one label: which part of a class's frames (row) each class wins (column).
    ``iou.csv``, ``iou.png``
        mean intersection over union of each class with the expert's boxes (see `region_overlap`).
    ``summary.json``
        the facts, the means over the regions (background left out, and classes without frames), and each class's.

    A class without frames has empty cells. The means and the classes' values also go to ``engine.state.metrics``, as
    ``accuracy_mean``, ``accuracy_head`` and so on (``average_precision_...``, ``iou_...``), so attach `RunTracker`
    behind this handler, with `artifacts`.

    Frames are taken from the engine's batch and output, decollated to one dictionary a frame: ``image``, with its file
    name as meta data; ``pred``, logits (C,); ``target``, (C,), 1 for every class in sight; and where there are any,
    ``frame``, its place in a cine loop; ``boxes``, the expert's, (C, 4) with NaN where unknown; ``pred_box``, the `Box`
    or `FailedEstimate` of the winning class in the same px as ``boxes``.

    Evaluation is a single process: under several ranks the frames of the others would be lost, so that is an error.

    Args:
        output_dir: where the files go.
        class_names: C of them, in the order of the network's outputs.
        background: the class that is no region.
        facts: what the summary states besides, e.g. the section evaluated and the network's cost.

    Raises:
        ValueError: `background` is none of the classes.
    """

    def __init__(
        self,
        output_dir: str | Path,
        class_names: Sequence[str],
        background: str = "background",
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        if background not in class_names:
            raise ValueError(f"background must be one of the classes {list(class_names)}, got {background!r}.")
        self.output_dir = Path(output_dir)
        self.class_names = list(class_names)
        self.is_region = np.array([name != background for name in class_names])
        self.facts = dict(facts or {})
        self._frames: list[_Evaluated] = []

    @property
    def artifacts(self) -> list[Path]:
        """The files that a run writes."""
        return [self.output_dir / name for name in (*TABLES, *FIGURES, "summary.json")]

    def attach(self, engine: Engine) -> None:
        """Attach to the evaluator.

        Raises:
            RuntimeError: the evaluation runs under several ranks.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("RegionReport works in one process; run the evaluation without torchrun.")
        engine.add_event_handler(Events.EPOCH_STARTED, self.clear)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add_batch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def clear(self, engine: Engine) -> None:
        """Forget the frames of an earlier run."""
        self._frames = []

    def add_batch(self, engine: Engine) -> None:
        """Note what the files are written from.

        Raises:
            ValueError: a logit is not finite, or a frame has other classes than the report; the message names the
                file.
        """
        for known, predicted in zip(engine.state.batch, engine.state.output, strict=True):
            self._frames.append(self._evaluated({**known, **predicted}))

    def write(self, engine: Engine) -> None:
        """Write the files, print the summary, and hand the values to the engine."""
        results = _results(self._frames)
        self._write_per_image(results)
        self._write_tables(results)
        self._figure("precision_recall.png", precision_recall_figure(self.class_names, results.curves))
        self._figure(
            "confusion_matrix.png",
            confusion_figure(self.class_names, results.confusion, results.single_label_frames),
        )
        self._figure("iou.png", overlap_figure(self.class_names, results.overlaps_of_class))

        metrics = {f"{name}_mean": self._mean_of_regions(values) for name, values in results.measures.items()}
        for measure, values in results.measures.items():
            metrics |= {
                f"{measure}_{name}": value for name, value in zip(self.class_names, values.tolist(), strict=True)
            }
        engine.state.metrics.update(metrics)
        summary = {**self.facts, "frames": len(self._frames), **metrics}
        write_summary(self.output_dir / "summary.json", summary)
        print(f"\n{summary_table(summary)}\nper image: {self.output_dir / 'per_image.csv'}")

    def _evaluated(self, item: Mapping[str, Any]) -> _Evaluated:
        image, classes = str(item["image"].meta["filename_or_obj"]), len(self.class_names)
        logits, target = (convert_to_numpy(item[key]).astype(float).ravel() for key in ("pred", "target"))
        references = convert_to_numpy(item.get("boxes", np.full((classes, 4), np.nan))).astype(float)
        if not (len(logits) == len(target) == len(references) == classes):
            raise ValueError(
                f"{image}: has {len(logits)} logits, {len(target)} targets and {len(references)} boxes; expected "
                f"{classes}, one a class: {', '.join(self.class_names)}."
            )
        if not np.isfinite(logits).all():
            raise ValueError(f"{image}: the logits are {logits.tolist()}; expected finite numbers. Check the weights.")
        index = int(item["frame"]) if "frame" in item else None
        return _Evaluated(image, index, logits, target, item.get("pred_box", NOT_LOCALISED), references)

    def _mean_of_regions(self, values: NDArray[np.float64]) -> float:
        return _mean(values[self.is_region & np.isfinite(values)])

    def _write_per_image(self, results: _Results) -> None:
        shared = os.path.commonpath([Path(frame.image).parent for frame in self._frames])

        def rows() -> Iterator[list[Any]]:
            for frame, is_right, overlap in zip(self._frames, results.right, results.overlaps, strict=True):
                labels = ", ".join(name for name, shown in zip(self.class_names, frame.target, strict=True) if shown)
                corners = list(frame.box) if isinstance(frame.box, Box) else [None] * 4
                no_box = frame.box.reason if isinstance(frame.box, FailedEstimate) else None
                # The classes that count on a frame have one and the same overlap.
                iou = _mean(overlap[np.isfinite(overlap)])
                winner = self.class_names[frame.winner]
                scores = expit(frame.logits).tolist()
                image = Path(frame.image).relative_to(shared).as_posix()
                yield [image, frame.index, labels, winner, int(is_right), *corners, no_box, iou, *scores]

        columns = ["image", "frame", "labels", "winner", "right", "x_min", "y_min", "x_max", "y_max", "no_box", "iou"]
        self._table("per_image.csv", [*columns, *(f"score_{name}" for name in self.class_names)], rows())

    def _write_tables(self, results: _Results) -> None:
        names = self.class_names
        accuracy, average_precision, iou = (results.measures[name] for name in ("accuracy", "average_precision", "iou"))
        self._table(
            "accuracy.csv",
            ["class", "frames", "accuracy", "average_precision"],
            [
                *zip(names, results.frames, accuracy.tolist(), average_precision.tolist(), strict=True),
                (MEAN, None, self._mean_of_regions(accuracy), self._mean_of_regions(average_precision)),
            ],
        )
        points = (
            (name, None if threshold is None else float(expit(threshold)), precision, recall)
            for name, curve in zip(names, results.curves, strict=True)
            if curve is not None
            for threshold, precision, recall in zip(
                [*curve.thresholds.tolist(), None], curve.precision.tolist(), curve.recall.tolist(), strict=True
            )
        )
        self._table("precision_recall.csv", ["class", "threshold", "precision", "recall"], points)
        self._table(
            "confusion_matrix.csv",
            ["class", "frames", *names],
            (
                (name, frames, *row)
                for name, frames, row in zip(
                    names, results.single_label_frames, results.confusion.tolist(), strict=True
                )
            ),
        )
        self._table(
            "iou.csv",
            ["class", "frames", "iou"],
            [
                *zip(names, map(len, results.overlaps_of_class), iou.tolist(), strict=True),
                (MEAN, None, self._mean_of_regions(iou)),
            ],
        )

    def _table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        write_table(self.output_dir / name, columns, rows)

    def _figure(self, name: str, figure: Figure) -> None:
        with atomic_path(self.output_dir / name) as temporary:
            figure.savefig(temporary, dpi=120)


def _results(frames: Sequence[_Evaluated]) -> _Results:
    logits, targets = np.stack([frame.logits for frame in frames]), np.stack([frame.target for frame in frames])
    overlaps = np.stack([region_overlap(frame.winner, frame.box, frame.references) for frame in frames])
    overlaps_of_class = [column[np.isfinite(column)] for column in overlaps.T]
    curves = precision_recall(logits, targets)
    counts = class_confusion(logits, targets)
    single_label_frames = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):  # a class without frames: 0 / 0 is NaN, as it should be
        confusion = counts / single_label_frames[:, None]
    measures = {
        "accuracy": class_accuracy(logits, targets),
        "average_precision": np.array([np.nan if curve is None else curve.average_precision for curve in curves]),
        "iou": np.array([_mean(values) for values in overlaps_of_class]),
    }
    return _Results(
        frames=targets.sum(axis=0).astype(int),
        right=winner_is_target(logits, targets),
        curves=curves,
        confusion=confusion,
        single_label_frames=single_label_frames,
        overlaps=overlaps,
        overlaps_of_class=overlaps_of_class,
        measures=measures,
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
