"""Quantise a bundle's network to 8-bit integers, and keep the result only if it measures as well.

Calibrated on training frames of a prepared data set, checked on its validation frames. The model is written into the
user's cache, where OpenVINO finds it, or into the bundle.

Example:
    python -m fetal_monai.runtimes.quantise --bundle bisenet --dataset_dir data/hc18
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray
from tqdm import tqdm

from fetal_monai.biometry.head import HeadMeasurement, measure_head_in_probability
from fetal_monai.biometry.region import largest_component
from fetal_monai.data import load_datalist, read_frame
from fetal_monai.files.atomic import atomic_path
from fetal_monai.runtimes.bundle import SegmentationBundle, find_bundle
from fetal_monai.runtimes.export import exported
from fetal_monai.runtimes.openvino import WEIGHTS_SHA256, OpenVinoRuntime, int8_paths, load, shared_core
from fetal_monai.runtimes.resize import resize
from fetal_monai.runtimes.runtime import Runtime

logger = logging.getLogger(__name__)

_MAX_DICE_FALL = 0.001
_MAX_ERROR_RISE_MM = 0.05
# Convolutions and what is between them become integers. Statistics of gray levels, attention weights and resampled
# logits stay floats: they are a small part of the time, and most of the error.
_FLOAT_OPERATIONS = ["ReduceMean", "Subtract", "Power", "Divide", "Sqrt", "Multiply", "Interpolate"]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well a network measures the frames of a section.

    Attributes:
        dice: Mean over the frames, at their own resolution.
        error_mm: Mean absolute error of the head circumference, over the frames with a head found.
        failed: Number of frames without.
    """

    dice: float
    error_mm: float
    failed: int

    def __str__(self) -> str:
        return f"Dice {100 * self.dice:.2f} %, HC error {self.error_mm:.3f} mm, {self.failed} failed"


class QuantisationRefusedError(ValueError):
    """The integers measure worse than the floats by more than is allowed."""


def quantise(bundle: SegmentationBundle, dataset_dir: str | Path, path: Path, frames: int = 300) -> None:
    """Write the int8 model of a bundle, if it is good enough.

    On the validation frames the mean Dice may fall by 0.1 points at most, the mean error of HC rise by 0.05 mm at most,
    and no frame may fail that did not fail before.

    Args:
        bundle: The network.
        dataset_dir: Prepared data set; its training frames should be those that the weights were trained on.
        path: Of the model's .xml; the .bin is put beside it.
        frames: How many training frames are used, chosen at random, always the same.

    Raises:
        QuantisationRefusedError: The model is not good enough; nothing is written.
        ImportError: The network is not exported yet, and the packages for it are not installed.
        FileNotFoundError: There is no prepared data set.
    """
    training = load_datalist(dataset_dir, "training")
    chosen = np.random.default_rng(0).permutation(len(training))[:frames]
    inputs = [_input(bundle, training[index]) for index in tqdm(chosen, desc="Reading", unit="frame")]
    model = nncf.quantize(
        shared_core().read_model(exported(bundle)),
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(types=_FLOAT_OPERATIONS, validate=False),
    )
    model.set_rt_info(bundle.weights_sha256, WEIGHTS_SHA256)
    check_accuracy(
        section_accuracy(load(bundle, "fp32"), bundle, dataset_dir, "validation"),
        section_accuracy(OpenVinoRuntime(model, "int8"), bundle, dataset_dir, "validation"),
    )
    _save(model, path)


def check_accuracy(before: Accuracy, after: Accuracy) -> None:
    """Refuse a quantised network that is worse than before.

    Raises:
        QuantisationRefusedError: Dice, HC or the number of failures is worse by more than is allowed.
    """
    figures = f"before: {before}; int8: {after}"
    if (
        before.dice - after.dice > _MAX_DICE_FALL
        or after.error_mm - before.error_mm > _MAX_ERROR_RISE_MM
        or after.failed > before.failed
    ):
        raise QuantisationRefusedError(
            f"The int8 model is refused, it measures the validation frames worse ({figures}). Allowed: Dice "
            f"-{100 * _MAX_DICE_FALL:g} points, HC error +{_MAX_ERROR_RISE_MM} mm, no new failure. Use bf16 or fp32."
        )
    logger.info("Validation frames, %s", figures)


def section_accuracy(runtime: Runtime, bundle: SegmentationBundle, dataset_dir: str | Path, section: str) -> Accuracy:
    """Measure all frames of a section and compare them with their labels.

    Args:
        runtime: The bundle's network on an engine.
        bundle: The network.
        dataset_dir: Prepared data set.
        section: "training", "validation" or "test".
    """
    dices, errors = [], []
    frames = load_datalist(dataset_dir, section)
    for frame in tqdm(frames, desc=f"{section}, {runtime.precision}", unit="frame"):
        label = read_frame(frame["label"]).pixels > 127
        shape = (label.shape[0], label.shape[1])
        (probability,) = runtime(_input(bundle, frame))
        dices.append(_dice(largest_component(resize(probability, shape) > 0.5), label))
        head = measure_head_in_probability(probability, shape, tuple(frame["pixel_spacing_mm"]))
        if isinstance(head, HeadMeasurement):
            errors.append(abs(head.head_circumference_mm - frame["head_circumference_mm"]))
    return Accuracy(float(np.mean(dices)), float(np.mean(errors)), len(frames) - len(errors))


def _input(bundle: SegmentationBundle, frame: dict[str, Any]) -> NDArray[np.float32]:
    return resize(read_frame(frame["image"]).pixels, bundle.spatial_size)[np.newaxis, np.newaxis]


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * np.count_nonzero(first & second) / total if total else 1.0


def _save(model: openvino.Model, path: Path) -> None:
    # The .bin takes its name first: an .xml is never beside another model's .bin.
    with atomic_path(path) as xml, atomic_path(path.with_suffix(".bin")) as weights:
        openvino.serialize(model, xml, weights)
        path.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Quantise from the command line; ends with status 1 where the model is refused."""
    parser = argparse.ArgumentParser(
        "python -m fetal_monai.runtimes.quantise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bundle", default="bisenet", help="a bundle's folder or name (default: bisenet)")
    parser.add_argument("--dataset_dir", required=True, help="prepared data set")
    parser.add_argument("--into_bundle", action="store_true", help="write into the bundle's models/, not the cache")
    parser.add_argument("--frames", type=int, default=300, help="training frames for the calibration (default: 300)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    bundle = find_bundle(options.bundle)
    in_bundle, in_cache = int8_paths(bundle)
    path = in_bundle if options.into_bundle else in_cache
    try:
        quantise(bundle, options.dataset_dir, path, options.frames)
    except QuantisationRefusedError as error:
        sys.exit(str(error))
    for precision in ("fp32", "int8"):
        accuracy = section_accuracy(load(bundle, precision), bundle, options.dataset_dir, "test")
        logger.info("Test frames, %s: %s", precision, accuracy)
    logger.info("Written: %s", path)


if __name__ == "__main__":
    main()
