r"""Draw frames with their label and the masks that two or more evaluations predicted: image, label, baseline, GAN.

The rows are spread evenly from the worst frame to the best one by the mean Dice over the evaluations: no frame is
picked by hand. Each evaluation is the output folder of `monai.bundle run evaluating` on the same section.

Example:
    python benchmarks/comparison_figure.py data/hc18 --section test --output comparison.png \
        baseline=bundles/gan_deeplab/output/baseline/evaluation GAN=bundles/gan_deeplab/output/train/evaluation
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from fetal_monai.data import atomic_path, load_datalist, read_frame

RIGHT, TOO_MUCH, MISSING = (1.0, 1.0, 1.0), (0.95, 0.35, 0.25), (0.25, 0.55, 1.0)


def main() -> None:
    """Write the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset_dir", type=Path, help="the prepared data set")
    parser.add_argument("evaluations", nargs="+", help="NAME=FOLDER: a column's title, and an evaluation's output")
    parser.add_argument("--section", default="test", help="the section that was evaluated (default: test)")
    parser.add_argument("--rows", type=int, default=5, help="how many frames (default: 5)")
    parser.add_argument("--output", type=Path, default=Path("comparison.png"), help="default: comparison.png")
    options = parser.parse_args()

    folders = {}
    for evaluation in options.evaluations:
        name, separator, folder = evaluation.partition("=")
        if not separator:
            parser.error(f"expected NAME=FOLDER, got {evaluation!r}")
        folders[name] = Path(folder)
    results = {name: read_results(folder) for name, folder in folders.items()}
    frames = {Path(frame["image"]).name: frame for frame in load_datalist(options.dataset_dir, options.section)}
    for name, result in results.items():
        if result.keys() != frames.keys():
            parser.error(
                f"{folders[name]} was evaluated on other frames than the section {options.section!r} of "
                f"{options.dataset_dir} holds"
            )
    figure = draw([frames[image] for image in spread(results, options.rows)], folders, results)
    with atomic_path(options.output) as temporary:
        figure.savefig(temporary, dpi=100, bbox_inches="tight")
    print(options.output)


def read_results(folder: Path) -> dict[str, dict[str, float]]:
    """Return the measures of each image from an evaluation's per_image.csv."""
    with (folder / "per_image.csv").open(newline="") as file:
        return {
            row.pop("image"): {name: float(value) if value else float("nan") for name, value in row.items()}
            for row in csv.DictReader(file)
        }


def spread(results: dict[str, dict[str, dict[str, float]]], count: int) -> list[str]:
    """Return `count` images from the worst to the best, evenly spaced in rank, by their mean Dice over all results."""
    images = sorted(next(iter(results.values())))
    images.sort(key=lambda image: float(np.mean([result[image]["dice"] for result in results.values()])))
    return [images[i] for i in np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)]


def draw(
    frames: list[dict[str, Any]], folders: dict[str, Path], results: dict[str, dict[str, dict[str, float]]]
) -> plt.Figure:
    """Return the figure: a row a frame, with the columns image, label and one for each evaluation."""
    titles = ["image", "label", *folders]
    figure, axes = plt.subplots(
        len(frames), len(titles), squeeze=False, figsize=(3 * len(titles), 2.3 * len(frames)), layout="constrained"
    )
    for row, frame in zip(axes, frames, strict=True):
        path = Path(frame["image"])
        label = read_frame(frame["label"]).pixels > 127
        row[0].imshow(read_frame(path).pixels, cmap="gray")
        row[0].set_xlabel(path.name)
        row[1].imshow(label, cmap="gray")
        for axis, (name, folder) in zip(row[2:], folders.items(), strict=True):
            mask = read_frame(folder / "masks" / f"{path.stem}_mask{path.suffix}").pixels > 127
            axis.imshow(differences(mask, label))
            values = results[name][path.name]
            axis.set_xlabel(f"Dice {100 * values['dice']:.1f} %, surface {values['mean_surface_distance_mm']:.2f} mm")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    colours = {"head, in both": RIGHT, "predicted only": TOO_MUCH, "label only": MISSING}
    patches = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor="gray") for colour in colours.values()]
    figure.legend(patches, list(colours), loc="outside lower center", ncols=3, frameon=False)
    return figure


def differences(mask: NDArray[np.bool_], label: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return an RGB picture (H, W, 3) of where a mask and the label agree and where they do not."""
    picture = np.zeros((*mask.shape, 3))
    for where, colour in ((mask & label, RIGHT), (mask & ~label, TOO_MUCH), (label & ~mask, MISSING)):
        picture[where] = colour
    return picture


if __name__ == "__main__":
    main()
