"""The times of region localisation."""

from __future__ import annotations

from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import decollate_batch, list_data_collate

from benchmarks.stopwatch import Stopwatch
from fetal_monai.inferers import LocalisationInferer
from fetal_monai.networks import complexity

WARM_UP = 5


def time_localisation(bundle: Path, frames_path: Path, overlay: str | None, count: int, bfloat16: bool) -> str:
    """Time each step.

    Args:
        bundle: The bundle's folder.
        frames_path: A file or folder of frames.
        overlay: A config in the bundle's configs/, or None.
        count: Number of frames.
        bfloat16: Whether the network runs in bfloat16.

    Returns:
        One line a step, and what was timed.
    """
    config = ConfigParser()
    config.read_config([bundle / "configs" / name for name in ("inference.json", overlay) if name])
    config.update({"bundle_root": str(bundle), "dataset_dir": str(frames_path)})
    names = [step["_target_"].rpartition(".")[2] for step in config["preprocessing#transforms"]]
    network = config.get_parsed_content("network_def").eval()
    size = config.get_parsed_content("spatial_size")
    cost = complexity(network, (1, *size))
    device = config.get_parsed_content("device")
    network.to(device, memory_format=torch.channels_last)
    inferer = LocalisationInferer(torch.bfloat16 if bfloat16 else None)
    steps = config.get_parsed_content("preprocessing").transforms
    known = names.index("FrameGeometryd") + 1
    (localise,) = [step for step in config.get_parsed_content("postprocessing").transforms if hasattr(step, "excess")]

    frames = []
    for item in islice(config.get_parsed_content("stream"), count):
        for step in steps[:known]:
            item = step(item)
        frames.append(item)
    kinds = {str(frame["geometry"]["kind"]) for frame in frames}

    def to_polar(frame: dict[str, Any]) -> dict[str, Any]:
        item = dict(frame)
        for step in steps[known:]:
            item = step(item)
        return list_data_collate([item])

    stopwatch = Stopwatch(WARM_UP)

    def frame_to_box(frame: dict[str, Any]) -> None:
        batch = stopwatch.timed("polar image", lambda: to_polar(frame))
        batch["pred"] = stopwatch.timed("network", lambda: inferer(batch["image"].to(device), network))
        stopwatch.timed("box", lambda: [localise(item) for item in decollate_batch(batch)])

    with torch.inference_mode():
        for frame in islice(cycle(frames), WARM_UP + count):
            stopwatch.timed("frame to box", partial(frame_to_box, frame))
    lines = [
        f"{config['backbone']} at {size}: {cost}; sectors: {', '.join(sorted(kinds))}",
        f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        + ("bfloat16" if bfloat16 else "float32"),
        stopwatch.report(),
    ]
    return "\n".join(lines)
