"""Time an epoch of a bundle's training against the same training steps on batches that lie in memory.

The difference is what the data path costs once the frames are cached: random transforms, and making batches of them.
Neither validates or writes anything. Both are timed in turn in one run, so the ratio holds on a machine that does
other things too.

Example:
    python -m benchmarks.training_epoch data/hc18
    python -m benchmarks.training_epoch data/hc18 --bundle bundles/gan_deeplab --frames 128 --json epoch.json
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times of an epoch and their ratio, and write them as JSON if that is wanted."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.training_epoch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset_dir", type=Path, help="a prepared data set")
    parser.add_argument("--bundle", type=Path, default=Path("bundles/bisenet"), help="default: bundles/bisenet")
    parser.add_argument("--frames", type=int, default=64, help="training frames of an epoch (default: 64)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"timed epochs of each kind (default: {ROUNDS})")
    parser.add_argument("--spatial-size", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), help="default: the bundle's")
    parser.add_argument("--json", type=Path, help="where the times of each epoch are written")
    options = parser.parse_args(arguments)
    overrides = {"spatial_size": options.spatial_size} if options.spatial_size else {}
    timings = time_epochs(options.bundle, options.dataset_dir, options.frames, options.rounds, overrides)
    if options.json:
        options.json.write_text(json.dumps(timings, indent=2), encoding="utf-8")
    print(_report(timings))


def time_epochs(
    bundle: Path, dataset_dir: Path, frames: int, rounds: int, overrides: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Train a bundle's network for some epochs, with and without its data path.

    Args:
        bundle: The bundle's folder.
        dataset_dir: The prepared data set.
        frames: How many of its training frames make an epoch.
        rounds: How many epochs of each kind are timed.
        overrides: Values of the bundle's `train.json` to replace.

    Returns:
        The seconds of each epoch by what was done, the median ratio, and what it was measured on.
    """
    import torch
    from monai.bundle import ConfigParser
    from monai.data import set_track_meta

    from benchmarks.interleaved import median_ratio, timed_in_turn
    from fetal_monai.cli.info import describe

    config = ConfigParser()
    config.read_config(bundle / "configs" / "train.json")
    config.update({"bundle_root": str(bundle), "dataset_dir": str(dataset_dir), "epochs": 1, **(overrides or {})})
    config["train#dataset#data"] += f"[:{frames}]"
    config["train#handlers"] = []
    set_track_meta(False)  # as in a training
    try:
        trainer = config.get_parsed_content("train#trainer")
        loader = trainer.data_loader
        batches = list(loader)

        def train_on(data: Any) -> None:
            trainer.data_loader = data
            trainer.run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()

        seconds = timed_in_turn(
            {"epoch": lambda: train_on(loader), "compute": lambda: train_on(batches), "data": lambda: list(loader)},
            rounds,
        )
    finally:
        set_track_meta(True)
    return {
        "bundle": bundle.name,
        "spatial_size": list(batches[0]["image"].shape[2:]),
        "batch_size": len(batches[0]["image"]),
        "frames": sum(len(batch["image"]) for batch in batches),
        "device": str(config.get_parsed_content("device")),
        "autocast_dtype": str(config.get_parsed_content("autocast_dtype")),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "load_average": os.getloadavg(),
        "installation": describe(),
        "seconds": seconds,
        "epoch_to_compute": median_ratio(seconds["epoch"], seconds["compute"]),
    }


def _report(timings: dict[str, Any]) -> str:
    rows, columns = timings["spatial_size"]
    lines = [
        f"{timings['bundle']}: {timings['frames']} frames of {rows} x {columns} in batches of {timings['batch_size']}, "
        f"{timings['autocast_dtype']}",
        f"{timings['device']}, {timings['threads']} threads, {timings['cpu_capability']}; "
        f"load average {timings['load_average'][0]:.1f}",
        *(f"{name:8s} {median(each):7.2f} s  (median of {len(each)})" for name, each in timings["seconds"].items()),
        f"epoch / compute: {timings['epoch_to_compute']:.3f}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
