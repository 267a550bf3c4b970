"""Frames with their label and the prediction of each method, as the papers show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.picture import Picture, picture
from fetal_monai.comparison.store import MASKS, Store
from fetal_monai.data import fingerprint, load_datalist, mask_suffix, read_frame
from fetal_monai.reporting.output_path import output_path

RIGHT, TOO_MUCH, MISSING = (1.0, 1.0, 1.0), (0.95, 0.35, 0.25), (0.25, 0.55, 1.0)
_CAPTION = {
    "dice": "Dice {:.3f}",
    "mean_surface_distance_mm": "surface {:.2f} mm",
}


def frames_figure(methods: Sequence[Method], store: Store, dataset_dir: Path, count: int) -> Picture | None:
    """Draw frames of the evaluated data set: one row per frame, with the columns image, label, and the methods.

    The frames are evenly spaced from the worst to the best by the mean Dice over the methods: none is picked by hand.
    For each method the first seed is shown.

    Args:
        methods: Methods, evaluated on the same frames.
        store: Store that holds their masks.
        dataset_dir: Prepared data set.
        count: Number of frames.

    Returns:
        The figure, or None if no evaluation has masks in the store.

    Raises:
        ComparisonError: The data set is not the one that was evaluated.
    """
    evaluated = methods[0].evaluations[0].parameters
    if (found := fingerprint(dataset_dir)) != evaluated["data_fingerprint"]:
        raise ComparisonError(
            f"{dataset_dir} has the data fingerprint {found}; the runs were evaluated on "
            f"{evaluated['data_fingerprint']}. Give that data set with --data_dir, or omit the option to write the "
            "page without frames."
        )
    folders = {method.name: store.artifact(method.evaluations[0].run_id, MASKS) for method in methods}
    shown = [method for method in methods if folders[method.name] is not None]
    if not shown:
        return None
    fold = methods[0].evaluations[0].fold
    listed = load_datalist(dataset_dir, evaluated["section"], None if fold is None else int(fold))
    frames = {Path(frame["image"]).name: frame for frame in listed}
    figure = _draw([frames[image] for image in spread(shown, count)], shown, folders)
    note = (
        "From the worst to the best frame by the mean Dice over the methods, evenly spaced in rank; first seed of each "
        "method."
    )
    return picture(figure, "frames", "Frames", note)


def spread(methods: Sequence[Method], count: int) -> list[str]:
    """Return `count` images from the worst to the best, evenly spaced in rank, by their mean Dice over the methods."""
    dice = sum(method.evaluations[0].per_image["dice"] for method in methods)
    # By name first, so that frames with equal Dice always come in the same order.
    images = dice.sort_index().sort_values(kind="stable").index
    return [str(images[i]) for i in np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)]


def differences(mask: NDArray[np.bool_], label: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return an RGB image (H, W, 3) that shows where a mask and the label agree and where they differ."""
    colours = np.zeros((*mask.shape, 3))
    for where, colour in ((mask & label, RIGHT), (mask & ~label, TOO_MUCH), (label & ~mask, MISSING)):
        colours[where] = colour
    return colours


def _draw(frames: Sequence[dict[str, Any]], methods: Sequence[Method], folders: Mapping[str, Path | None]) -> Figure:
    titles = ["image", "label", *(method.name for method in methods)]
    figure = Figure(figsize=(2.6 * len(titles), 2.1 * len(frames) + 0.6), layout="constrained")
    axes = figure.subplots(len(frames), len(titles), squeeze=False)
    for row, frame in zip(axes, frames, strict=True):
        path = Path(frame["image"])
        label = read_frame(frame["label"]).pixels > 127
        row[0].imshow(read_frame(path).pixels, cmap="gray")
        row[0].set_xlabel(path.name, fontsize="small")
        row[1].imshow(label, cmap="gray")
        for axis, method in zip(row[2:], methods, strict=True):
            mask = output_path(path, None, folders[method.name] or Path(), "_mask", mask_suffix(path))
            axis.imshow(differences(read_frame(mask).pixels > 127, label))
            values = method.evaluations[0].per_image.loc[path.name]
            caption = ", ".join(text.format(values[metric]) for metric, text in _CAPTION.items() if metric in values)
            axis.set_xlabel(caption, fontsize="small")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize="small")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    colours = {"head, in both": RIGHT, "predicted only": TOO_MUCH, "label only": MISSING}
    patches = [Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor="gray") for colour in colours.values()]
    figure.legend(patches, list(colours), loc="outside lower center", ncols=3, frameon=False)
    return figure
