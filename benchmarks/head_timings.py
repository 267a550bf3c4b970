"""All times of the measurement of heads, as plain values."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.eager_bundle import EagerBundle
from benchmarks.interleaved import timed_in_turn
from benchmarks.measuring import BATCH_SIZES, in_batches, network, network_inputs, one_by_one, steps
from benchmarks.workload import Workload, resized
from fetal_monai.cli.info import describe
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.runtimes import find_bundle

LIMITS = ("OV_CPU_MAX_ISA", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS")
MEASUREMENT = "MeasureHeadd"
POSTPROCESSING = {
    "bundle as configured": None,
    "bundle, no files": "KeepLargestConnectedComponentd",
    "bundle, ellipse only": MEASUREMENT,
}
"""The transform with which the post-processing of the bundle ends: after masks and overlays, masks, and the ellipse."""
NNUNET = "nnU-Net's predictor"


def time_head_measurement(
    bundle: str,
    frames: Workload,
    engines: Sequence[str],
    rounds: int,
    *,
    scales: Sequence[float],
    counts: Sequence[int],
) -> dict[str, Any]:
    """Time everything.

    Args:
        bundle: A bundle's folder or name.
        frames: What is measured.
        engines: Of "ENGINE-PRECISION"; those that cannot be loaded are named in the result.
        rounds: How often everything is timed.
        scales: Sizes to which the first frames are resized, of their own.
        counts: Numbers of frames.

    Returns:
        `milliseconds`: for each table and each of its rows, the time per frame in each round. `hc_difference_mm`: the
        mean absolute difference of HC to the bundle's inference.

    Raises:
        ValueError: None of the engines can be loaded.
    """
    load_before = os.getloadavg()
    measurers, missing = _measurers(bundle, engines)
    fastest = next(iter(measurers.values()))
    root, size = fastest.bundle.root, fastest.bundle.spatial_size
    alone: dict[str, Callable[[], dict[str, float | None]]]
    alone = {name: partial(one_by_one, measurer, frames) for name, measurer in measurers.items()}
    try:
        from benchmarks.nnunet import NnUnet
    except ModuleNotFoundError as error:
        missing[NNUNET] = f"{error}: pip install nnunetv2"
    else:
        alone[NNUNET] = NnUnet(fastest.bundle, frames)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        eager = {
            name: EagerBundle(root, frames, folder / name, last_step) for name, last_step in POSTPROCESSING.items()
        }
        inputs = network_inputs(frames, size)
        actions: dict[tuple[str, str], Callable[[], object]] = {}
        actions |= {("one by one", name): each for name, each in eager.items()}
        actions |= {("one by one", name): each for name, each in alone.items()}
        actions |= {("in batches", name): partial(in_batches, each, frames) for name, each in measurers.items()}
        actions |= {("steps", name): each for name, each in steps(frames, fastest.runtime, size).items()}
        actions |= {
            (f"network, {count} at once", name): partial(network, each.runtime, inputs[count])
            for name, each in measurers.items()
            for count in BATCH_SIZES
        }
        milliseconds = _per_frame(actions, frames.count, rounds)
        expected = eager["bundle, ellipse only"].head_circumferences_mm()
        differences = {name: _difference(measure(), expected) for name, measure in alone.items()}
        milliseconds |= _by_size(root, fastest, frames, folder, rounds, scales)
        milliseconds |= _by_number(root, fastest, frames, folder, rounds, counts)
    return {
        "installation": describe(),
        "limits": {name: os.environ[name] for name in LIMITS if name in os.environ},
        "cores": len(os.sched_getaffinity(0)),
        "torch_threads": torch.get_num_threads(),
        "load_average": {"before": load_before, "after": os.getloadavg()},
        "bundle": root.name,
        "frames": frames.count,
        "frame_size": list(frames.decoded()[0].frame.pixels.shape),
        "rounds": rounds,
        "batch_size": fastest.batch_size,
        "left_out": missing,
        "milliseconds": milliseconds,
        "hc_difference_mm": differences,
    }


def _measurers(bundle: str, engines: Sequence[str]) -> tuple[dict[str, HeadMeasurer], dict[str, str]]:
    find_bundle(bundle)  # whose errors are no engine's
    measurers, missing = {}, {}
    for name in engines:
        engine, precision = name.split("-")
        try:
            measurers[name] = HeadMeasurer(bundle, engine=engine, precision=precision)
        except (ImportError, ValueError, FileNotFoundError) as error:
            missing[name] = str(error)
    if not measurers:
        raise ValueError(f"No engine can be loaded: {missing}")
    return measurers, missing


def _by_size(
    root: Path, measurer: HeadMeasurer, frames: Workload, folder: Path, rounds: int, scales: Sequence[float]
) -> dict[str, dict[str, list[float]]]:
    few = replace(frames, count=min(frames.count, 10))
    actions: dict[tuple[str, str], Callable[[], object]] = {}
    for scale in scales:
        pictures = folder / f"scale_{scale}"
        pictures.mkdir()
        scaled = resized(few, scale, pictures)
        height, width = scaled.decoded()[0].frame.pixels.shape
        table = f"size {width}x{height}"
        actions[table, "engine"] = partial(one_by_one, measurer, scaled)
        actions[table, "bundle"] = EagerBundle(root, scaled, folder / f"of_scale_{scale}", MEASUREMENT)
    return _per_frame(actions, few.count, rounds)


def _by_number(
    root: Path, measurer: HeadMeasurer, frames: Workload, folder: Path, rounds: int, counts: Sequence[int]
) -> dict[str, dict[str, list[float]]]:
    milliseconds: dict[str, dict[str, list[float]]] = {}
    for count in counts:
        many = replace(frames, count=count)
        actions: dict[tuple[str, str], Callable[[], object]] = {
            (f"number {count}", "engine"): partial(in_batches, measurer, many),
            (f"number {count}", "bundle"): EagerBundle(root, many, folder / f"of_{count}", MEASUREMENT),
        }
        milliseconds |= _per_frame(actions, count, rounds)
    return milliseconds


def _per_frame(
    actions: dict[tuple[str, str], Callable[[], object]], count: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    milliseconds: dict[str, dict[str, list[float]]] = {}
    for (table, row), seconds in timed_in_turn(actions, rounds).items():
        milliseconds.setdefault(table, {})[row] = [1000 * taken / count for taken in seconds]
    return milliseconds


def _difference(found: dict[str, float | None], expected: dict[str, float]) -> float | None:
    """Mean absolute difference over the frames with both; None where there is none."""
    differences = [
        abs(value - expected[name]) for name, value in found.items() if value is not None and name in expected
    ]
    return float(np.mean(differences)) if differences else None
