"""The options of commands that measure: the engine, and the spacing of a pixel."""

from __future__ import annotations

import argparse

from fetal_monai.cli.pixel_spacing import pixel_spacing


def add_to(parser: argparse.ArgumentParser, *, batch_size: int) -> None:
    """Add the options, with a default batch size."""
    add = parser.add_argument
    add(
        "--pixel-spacing-mm",
        type=pixel_spacing,
        metavar="MM",
        help="spacing of a pixel: 0.12, or 0.12,0.14 (row,column)",
    )
    add("--bundle", default="bisenet", help="name or folder of the bundle (default: bisenet, with its own weights)")
    add("--engine", choices=("auto", "openvino", "onnxruntime", "torch"), default="auto", help="default: auto")
    add("--precision", choices=("auto", "int8", "bf16", "fp32"), default="auto", help="default: the engine's fastest")
    add("--device", default="cpu", help="cpu, or cuda for PyTorch (default: cpu)")
    add(
        "--batch-size",
        type=int,
        default=batch_size,
        metavar="N",
        help="frames that the network sees at once (default: %(default)s)",
    )
