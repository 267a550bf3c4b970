"""Time region localisation on this machine: frame, polar image, network, box.

Decoding a file and drawing a picture are left out: a scanner has its frames in memory. The sector is found before the
clock starts, as on a scanner, which knows it, or in a cine loop, where it is found once.

Example:
    python benchmarks/region_inference.py bundles/soft_proposal bundles/soft_proposal/output/phantoms/images
    python benchmarks/region_inference.py bundles/soft_proposal FRAMES --overlay vgg13.json --bfloat16
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import torch
from monai.bundle import ConfigParser
from monai.data import decollate_batch, list_data_collate

from fetal_monai.inferers import LocalisationInferer
from fetal_monai.networks import complexity

WARM_UP = 5


def main() -> None:
    """Print median times of each step, and frames a second of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    parser.add_argument("frames", type=Path, help="a file or folder of frames and cine loops")
    parser.add_argument("--overlay", help="a config in the bundle's configs/, e.g. vgg13.json")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads (default: all)")
    parser.add_argument("--count", type=int, default=100, help="frames to time (default: 100)")
    parser.add_argument("--bfloat16", action="store_true", help="run the network in bfloat16")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    config = ConfigParser()
    config.read_config([options.bundle / "configs" / name for name in ("inference.json", options.overlay) if name])
    config.update({"bundle_root": str(options.bundle), "dataset_dir": str(options.frames)})
    names = [step["_target_"].rpartition(".")[2] for step in config["preprocessing#transforms"]]
    network = config.get_parsed_content("network_def").eval()
    size = config.get_parsed_content("spatial_size")
    cost = complexity(network, (1, *size))
    device = config.get_parsed_content("device")
    network.to(device, memory_format=torch.channels_last)
    inferer = LocalisationInferer(torch.bfloat16 if options.bfloat16 else None)
    steps = config.get_parsed_content("preprocessing").transforms
    known = names.index("FrameGeometryd") + 1
    (localise,) = [step for step in config.get_parsed_content("postprocessing").transforms if hasattr(step, "excess")]

    frames = []
    for item in islice(config.get_parsed_content("stream"), options.count):
        for step in steps[:known]:
            item = step(item)
        frames.append(item)
    kinds = {str(frame["geometry"]["kind"]) for frame in frames}

    seconds: dict[str, list[float]] = {"polar image": [], "network": [], "box": [], "frame to box": []}

    def timed(name: str, action: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = action()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds[name].append(time.perf_counter() - start)
        return result

    def frame_to_box(frame: dict) -> None:
        def to_polar() -> dict:
            item = dict(frame)
            for step in steps[known:]:
                item = step(item)
            return list_data_collate([item])

        batch = timed("polar image", to_polar)
        batch["pred"] = timed("network", lambda: inferer(batch["image"].to(device), network))
        timed("box", lambda: [localise(item) for item in decollate_batch(batch)])

    with torch.inference_mode():
        for frame in islice(cycle(frames), WARM_UP + options.count):
            timed("frame to box", lambda frame=frame: frame_to_box(frame))
    print(f"{config['backbone']} at {size}: {cost}; sectors: {', '.join(sorted(kinds))}")
    precision = "bfloat16" if options.bfloat16 else "float32"
    print(f"{device}, {options.threads} threads, torch {torch.__version__}, {precision}")
    for name, times in seconds.items():
        middle = median(times[WARM_UP:])
        print(f"{name:14s} {1000 * middle:7.1f} ms  {1 / middle:6.1f} frames/s  (median of {len(times) - WARM_UP})")


if __name__ == "__main__":
    main()
