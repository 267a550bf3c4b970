"""Time region localisation on this machine: frame, polar image, network, box.

Decoding a file and drawing a picture are left out: a scanner has its frames in memory. The sector is found before the
clock starts, as on a scanner, which knows it, or in a cine loop, where it is found once.

Example:
    python -m benchmarks.region_localisation bundles/soft_proposal bundles/soft_proposal/output/phantoms/images
    python -m benchmarks.region_localisation bundles/soft_proposal FRAMES --overlay vgg13.json --bfloat16

One core:
    taskset -c 0 python -m benchmarks.region_localisation ...
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Print median times of each step, and frames a second of all."""
    options = _parser().parse_args(arguments)
    from benchmarks.localisation_timings import time_localisation

    print(time_localisation(options.bundle, options.frames, options.overlay, options.count, options.bfloat16))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.region_localisation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    parser.add_argument("frames", type=Path, help="a file or folder of frames")
    parser.add_argument("--overlay", help="a config in the bundle's configs/, e.g. vgg13.json")
    parser.add_argument("--count", type=int, default=100, help="frames to time (default: 100)")
    parser.add_argument("--bfloat16", action="store_true", help="run the network in bfloat16")
    return parser


if __name__ == "__main__":
    main()
