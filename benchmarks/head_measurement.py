"""Time a segmentation bundle on this machine: the network alone, and the whole way from a file to a measurement.

Example:
    python -m benchmarks.head_measurement bundles/bisenet bundles/bisenet/output/phantoms/test_set
    python -m benchmarks.head_measurement bundles/bisenet FRAMES --overlay size_256x160.json --threads 1
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from monai.data import decollate_batch, list_data_collate
from tqdm import tqdm

from benchmarks.bundle_options import inference_config, options_parser
from benchmarks.stopwatch import Stopwatch
from fetal_monai.networks import complexity

WARM_UP = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Print median times of a forward pass and of a frame."""
    parser = options_parser(__doc__ or "")
    parser.add_argument("--repeats", type=int, default=20, help="forward passes of the network (default: 20)")
    options = parser.parse_args(arguments)
    config = inference_config(options)
    # Up to the measurement: what is written afterwards (masks, pictures) is no part of a real-time path.
    steps = config["postprocessing#transforms"]
    measured = [step["_target_"].endswith("MeasureHeadd") for step in steps].index(True) + 1
    config["postprocessing#transforms"] = steps[:measured]

    network = config.get_parsed_content("network_def").eval()
    frames = config.get_parsed_content("collection").frames
    preprocess, postprocess = (config.get_parsed_content(name) for name in ("preprocessing", "postprocessing"))
    image = torch.rand(1, *preprocess(dict(frames[0]))["image"].shape, device=config.get_parsed_content("device"))
    network.to(image.device, memory_format=torch.channels_last)

    def frame_to_measurement(frame: dict[str, Any]) -> None:
        batch = list_data_collate([preprocess(dict(frame))])
        batch["pred"] = network(batch["image"].to(image.device))
        for item in decollate_batch(batch):
            postprocess(item)

    stopwatch = Stopwatch(WARM_UP)
    with torch.inference_mode():
        for _ in range(WARM_UP + options.repeats):
            stopwatch.timed("network", lambda: network(image))
        for frame in tqdm([*frames[:1] * WARM_UP, *frames], unit="frame"):
            stopwatch.timed("file to measurement", partial(frame_to_measurement, frame))
    cost = complexity(network, image[0].shape)
    print(f"{type(network).__name__} at {tuple(image.shape[2:])} (rows, columns): {cost}")
    print(f"{image.device}, {options.threads} threads, torch {torch.__version__}")
    print(stopwatch.report())


if __name__ == "__main__":
    main()
