"""Time region localisation on this machine: frame, polar image, network, box.

Decoding a file and drawing a picture are left out: a scanner has its frames in memory. The sector is found before the
clock starts, as on a scanner, which knows it, or in a cine loop, where it is found once.

Example:
    python -m benchmarks.region_localisation bundles/soft_proposal bundles/soft_proposal/output/phantoms/images
    python -m benchmarks.region_localisation bundles/soft_proposal FRAMES --overlay vgg13.json --bfloat16
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from typing import Any

import torch
from monai.data import decollate_batch, list_data_collate

from benchmarks.bundle_options import inference_config, options_parser
from benchmarks.stopwatch import Stopwatch
from fetal_monai.inferers import LocalisationInferer
from fetal_monai.networks import complexity

WARM_UP = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print median times of each step, and frames a second of all."""
    parser = options_parser(__doc__ or "")
    parser.add_argument("--count", type=int, default=100, help="frames to time (default: 100)")
    parser.add_argument("--bfloat16", action="store_true", help="run the network in bfloat16")
    options = parser.parse_args(arguments)
    config = inference_config(options)
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
        for frame in islice(cycle(frames), WARM_UP + options.count):
            stopwatch.timed("frame to box", partial(frame_to_box, frame))
    precision = "bfloat16" if options.bfloat16 else "float32"
    print(f"{config['backbone']} at {size}: {cost}; sectors: {', '.join(sorted(kinds))}")
    print(f"{device}, {options.threads} threads, torch {torch.__version__}, {precision}")
    print(stopwatch.report())


if __name__ == "__main__":
    main()
