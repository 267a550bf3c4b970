"""Time a segmentation bundle on this machine: the network alone, and the whole way from a file to a measurement.

Example:
    python benchmarks/inference.py bundles/bisenet bundles/bisenet/output/phantoms/test_set
    python benchmarks/inference.py bundles/bisenet FRAMES --overlay size_256x160.json --threads 1
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import decollate_batch, list_data_collate
from tqdm import tqdm

from fetal_monai.networks import complexity


def main() -> None:
    """Print median times of a forward pass and of a frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    parser.add_argument("frames", type=Path, help="a file or folder of frames")
    parser.add_argument("--overlay", help="a config in the bundle's configs/, e.g. size_256x160.json")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads (default: all)")
    parser.add_argument("--repeats", type=int, default=20, help="forward passes of the network (default: 20)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    config = ConfigParser()
    config.read_config([options.bundle / "configs" / name for name in ("inference.json", options.overlay) if name])
    config.update({"bundle_root": str(options.bundle), "dataset_dir": str(options.frames)})
    # Up to the measurement: what is written afterwards (masks, pictures) is no part of a real-time path.
    steps = config["postprocessing#transforms"]
    measured = [step["_target_"].endswith("MeasureHeadd") for step in steps].index(True) + 1
    config["postprocessing#transforms"] = steps[:measured]

    network_def = config.get_parsed_content("network_def").eval()
    frames = config.get_parsed_content("intake").frames
    preprocess, postprocess = (config.get_parsed_content(name) for name in ("preprocessing", "postprocessing"))
    image = torch.rand(1, *preprocess(dict(frames[0]))["image"].shape, device=config.get_parsed_content("device"))
    network_def.to(image.device, memory_format=torch.channels_last)

    def forward() -> None:
        network_def(image)

    def frame_to_measurement(frame: dict[str, Any]) -> None:
        batch = list_data_collate([preprocess(dict(frame))])
        batch["pred"] = network_def(batch["image"].to(image.device))
        for item in decollate_batch(batch):
            postprocess(item)

    with torch.inference_mode():
        alone = [_seconds(forward) for _ in range(options.repeats + 3)][3:]
        whole = [_seconds(lambda f=frame: frame_to_measurement(f)) for frame in tqdm([frames[0], *frames])][1:]
    cost = complexity(network_def, image[0].shape)
    print(f"{type(network_def).__name__} at {tuple(image.shape[2:])} (rows, columns): {cost}")
    print(f"{image.device}, {options.threads} threads, torch {torch.__version__}")
    for name, times in (("network", alone), ("file to measurement", whole)):
        print(f"{name:20s} {1000 * median(times):7.1f} ms  {1 / median(times):6.1f} frames/s  (median of {len(times)})")


def _seconds(action: Any) -> float:
    start = time.perf_counter()
    action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
