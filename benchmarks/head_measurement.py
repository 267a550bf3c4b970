"""Time the way from a file to the head circumference, on every engine and in the bundle's own inference.

Everything is timed in turn in one run, so the ratios hold on a machine that does other things too. Prints tables in
Markdown. Simulated frames are used where no folder is given.

Example:
    python -m benchmarks.head_measurement FRAMES --table TABLE.csv --json timings.json
    python -m benchmarks.head_measurement FRAMES --engines openvino-int8 torch-fp32 --rounds 10

One core:
    taskset -c 0 python -m benchmarks.head_measurement FRAMES
AVX2 only, on a processor that has more (PyTorch, OpenVINO 2026.4 and later):
    OV_CPU_MAX_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python -m benchmarks.head_measurement FRAMES
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

ENGINES = ("openvino-int8", "openvino-bf16", "openvino-fp32", "onnxruntime-fp32", "torch-fp32")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and write all times as JSON if that is wanted."""
    options = _parser().parse_args(arguments)
    from benchmarks.head_timings import time_head_measurement
    from benchmarks.timing_tables import tables
    from benchmarks.workload import workload

    with workload(options.frames, options.table, options.count) as frames:
        timings = time_head_measurement(
            options.bundle, frames, options.engines, options.rounds, scales=options.scales, counts=options.counts
        )
    if options.json:
        options.json.write_text(json.dumps(timings, indent=2), encoding="utf-8")
    print(tables(timings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.head_measurement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("frames", type=Path, nargs="?", help="a folder of stills (default: simulated frames)")
    parser.add_argument("--table", type=Path, help="CSV with the pixel spacing of each frame, for HC in mm")
    parser.add_argument("--bundle", default="bisenet", help="a bundle's folder or name (default: bisenet)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES, help="default: all that run here")
    parser.add_argument("--count", type=int, default=40, help="frames in each round (default: 40)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is timed (default: 5)")
    parser.add_argument(
        "--scales", nargs="+", type=float, default=(0.5, 1.0, 2.0), help="sizes of frames to compare (default: 0.5 1 2)"
    )
    parser.add_argument(
        "--counts", nargs="+", type=int, default=(1, 10, 100), help="numbers of frames to compare (default: 1 10 100)"
    )
    parser.add_argument("--json", type=Path, help="where the times of each round are written")
    return parser


if __name__ == "__main__":
    main()
