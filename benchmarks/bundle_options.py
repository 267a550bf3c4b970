"""The command line that the benchmarks of bundles share."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from monai.bundle import ConfigParser


def options_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that every benchmark of a bundle has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    parser.add_argument("frames", type=Path, help="a file or folder of frames")
    parser.add_argument("--overlay", help="a config in the bundle's configs/, e.g. size_256x160.json")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads (default: all)")
    return parser


def inference_config(options: argparse.Namespace) -> ConfigParser:
    """Set the threads, and return the bundle's inference config with the overlay and frames that were named."""
    torch.set_num_threads(options.threads)
    config = ConfigParser()
    config.read_config([options.bundle / "configs" / name for name in ("inference.json", options.overlay) if name])
    config.update({"bundle_root": str(options.bundle), "dataset_dir": str(options.frames)})
    return config
