"""Plots of classification: precision-recall curves and confusion matrices over all runs of a method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.picture import Picture, panels, picture
from fetal_monai.metrics import PrecisionRecall, class_confusion, precision_recall
from fetal_monai.reporting.region_figures import draw_confusion, draw_precision_recall

_SCORE = "score_"


def precision_recall_curves(methods: Sequence[Method]) -> Picture | None:
    """Draw one panel per class with the curve of each method; None if no method scored classes."""
    curves = {method.name: pooled_curves(method) for method in _of_classes(methods)}
    shown = list(dict.fromkeys(name for of_method in curves.values() for name in of_method))
    if not shown:
        return None
    figure, axes = panels(len(shown), width=3.6, height=3.4)
    lines = {}
    for axis, name in zip(axes, shown, strict=True):
        for index, (method, of_method) in enumerate(curves.items()):
            if name in of_method:
                curve = of_method[name]
                lines[method] = draw_precision_recall(axis, curve, f"C{index}", f"AP {curve.average_precision:.3f}")
        axis.set_title(name, fontsize="medium")
        axis.legend(loc="lower left", fontsize="small")
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=2, frameon=False)
    return picture(
        figure,
        "precision_recall",
        "Precision and recall of each class",
        "One panel per class, one colour per method; frames of all folds and seeds. AP: average precision.",
    )


def confusion_matrices(methods: Sequence[Method]) -> Picture | None:
    """Draw one panel per method, whose rows are the frames of each class; None if no method scored classes."""
    shown = _of_classes(methods)
    if not shown:
        return None
    figure, axes = panels(len(shown), width=5.2, height=4.8)
    for axis, method in zip(axes, shown, strict=True):
        counts = pooled_confusion(method)
        frames = counts.sum(axis=1)
        with np.errstate(invalid="ignore"):  # a class without frames has an empty row
            draw_confusion(axis, class_names(method), counts / frames[:, None], frames)
        axis.set_title(method.name, fontsize="medium")
    return picture(
        figure,
        "confusion_matrices",
        "Confusion matrices",
        "Share of the frames of a class (row) in which each class has the highest score (column), without frames that "
        "have several labels. Frames of all folds and seeds.",
    )


def class_names(method: Method) -> list[str]:
    """Return the classes that a method scores, in the order of its network's outputs; empty for masks."""
    columns = method.evaluations[0].per_image.columns
    return [column.removeprefix(_SCORE) for column in columns if column.startswith(_SCORE)]


def pooled_curves(method: Method) -> dict[str, PrecisionRecall]:
    """Return the curve of each class that has frames, over the frames of all runs."""
    frames, names = method.pooled(), class_names(method)
    curves = precision_recall(frames[[_SCORE + name for name in names]].to_numpy(), _targets(frames, names))
    return {name: curve for name, curve in zip(names, curves, strict=True) if curve is not None}


def pooled_confusion(method: Method) -> NDArray[np.int64]:
    """Count which class has the highest score on the frames of each class, over all runs; see `class_confusion`."""
    frames, names = method.pooled(), class_names(method)
    # The recorded winner, because scores rounded in a file may be equal.
    winners = frames["winner"].to_numpy()[:, None] == np.array(names)
    return class_confusion(winners, _targets(frames, names))


def _of_classes(methods: Sequence[Method]) -> list[Method]:
    return [method for method in methods if class_names(method)]


def _targets(frames: pd.DataFrame, names: Sequence[str]) -> NDArray[np.bool_]:
    labels = [text.split(", ") for text in frames["labels"]]
    return np.array([[name in of_frame for name in names] for of_frame in labels])
