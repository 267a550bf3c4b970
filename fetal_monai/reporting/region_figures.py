"""The figures of a region report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fetal_monai.files import atomic_path
from fetal_monai.metrics import PrecisionRecall, RegionStatistics

REGION_FIGURES = ("precision_recall.png", "confusion_matrix.png", "iou.png")
COLOURS = colormaps["tab10"].colors  # type: ignore[attr-defined]


def write_region_figures(folder: Path, class_names: Sequence[str], statistics: RegionStatistics) -> None:
    """Draw and write `REGION_FIGURES`.

    Args:
        folder: Folder to write to.
        class_names: C of them, in the order of the network's outputs.
        statistics: What is drawn.
    """
    figures = (
        precision_recall_figure(class_names, statistics.curves),
        confusion_figure(class_names, statistics.confusion, statistics.single_label_frames),
        overlap_figure(class_names, statistics.class_overlaps),
    )
    for name, figure in zip(REGION_FIGURES, figures, strict=True):
        with atomic_path(folder / name) as temporary:
            figure.savefig(temporary, dpi=120)


def precision_recall_figure(class_names: Sequence[str], curves: Sequence[PrecisionRecall | None]) -> Figure:
    """The precision-recall curves of all classes that have frames, with their average precision (AP)."""
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.add_subplot()
    for index, (name, curve) in enumerate(zip(class_names, curves, strict=True)):
        if curve is not None:
            colour = COLOURS[index % len(COLOURS)]
            draw_precision_recall(axes, curve, colour, f"{name} (AP {curve.average_precision:.2f})")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    return figure


def draw_precision_recall(
    axes: Axes, curve: PrecisionRecall, colour: str | tuple[float, float, float], label: str
) -> Line2D:
    """Draw one precision-recall curve."""
    # In steps: between two thresholds no frame changes sides.
    (line,) = axes.plot(curve.recall, curve.precision, drawstyle="steps-post", color=colour, label=label)
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")
    axes.grid(alpha=0.3)
    return line


def confusion_figure(class_names: Sequence[str], fractions: NDArray[np.float64], frames: NDArray[np.int64]) -> Figure:
    """The row-normalised confusion matrix, see `draw_confusion`."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    picture = draw_confusion(figure.add_subplot(), class_names, fractions, frames)
    figure.colorbar(picture, label="part of the class's frames")
    return figure


def draw_confusion(
    axes: Axes, class_names: Sequence[str], fractions: NDArray[np.float64], frames: NDArray[np.int64]
) -> AxesImage:
    """Draw a confusion matrix: row by row, the distribution of the frames of a class over the winning classes.

    Args:
        axes: Axes to draw on.
        class_names: C of them.
        fractions: (C, C), a row of NaN for a class without frames.
        frames: (C,), number of frames of each row.
    """
    picture = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(np.isfinite(fractions)):
        fraction = fractions[row, column]
        axes.text(
            column, row, f"{fraction:.2f}", ha="center", va="center", color="white" if fraction > 0.5 else "black"
        )
    places = np.arange(len(class_names))
    axes.set_xticks(places, class_names, rotation=45, ha="right")
    axes.set_yticks(places, [f"{name} ({count})" for name, count in zip(class_names, frames, strict=True)])
    axes.set(xlabel="winning class", ylabel="class of the frame (frames)")
    return picture


def overlap_figure(class_names: Sequence[str], overlaps: Sequence[NDArray[np.float64]]) -> Figure:
    """Intersection over union: the mean of each class as a bar, and each frame as a dot.

    Args:
        class_names: C of them.
        overlaps: For each class the overlaps of its frames with a reference box.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for index, values in enumerate(overlaps):
        if len(values):
            colour = COLOURS[index % len(COLOURS)]
            axes.bar(index, values.mean(), width=0.7, color=colour, alpha=0.5)
            # Side by side in the order of the frames, so that equal ones do not hide each other.
            axes.plot(index + np.linspace(-0.3, 0.3, len(values) + 2)[1:-1], values, ".", color=colour, markersize=3)
            axes.text(index, 1.02, f"{values.mean():.2f}", ha="center")
    labels = [f"{name}\n({len(values)})" for name, values in zip(class_names, overlaps, strict=True)]
    axes.set_xticks(np.arange(len(class_names)), labels)
    axes.set(xlabel="class (frames with a reference box)", ylabel="intersection over union", ylim=(-0.03, 1.1))
    axes.set_xlim(-0.6, len(class_names) - 0.4)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.grid(axis="y", alpha=0.3)
    return figure
