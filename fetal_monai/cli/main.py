"""The command line `fetal-monai`: its commands, and what they have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fetal_monai import __version__
from fetal_monai.cli import bundle, bundle_run, cohort, deidentify, info, locate, measure, node, page
from fetal_monai.cli.exit_codes import USAGE_ERROR
from fetal_monai.cli.usage_error import UsageError

_DESCRIPTION = """\
Fetal ultrasound: head circumference in mm, gestational age and region localisation from frames, DICOM files and
videos, by published methods as MONAI Bundles."""

_EPILOG = """\
examples:
  head circumference in mm:
    fetal-monai measure frame.png --pixel-spacing-mm 0.12
  measure, correct and label frames on a page in the browser:
    fetal-monai page frames
  the options of a command:
    fetal-monai measure --help
  copy a bundle, train it on simulated frames, and evaluate it:
    fetal-monai bundle dilated_unet
    fetal-monai train dilated_unet
    fetal-monai evaluate dilated_unet --weights dilated_unet/output/train/model.pt
  which region frames show, by weights that were trained:
    fetal-monai locate FRAMES --weights model.pt
  what to paste into a bug report:
    fetal-monai info"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Command-line arguments. Default: those of the process.

    Returns:
        The exit code: 0 done, 1 partly failed, 2 the command cannot be carried out as given.
    """
    parser = _parser()
    options, overrides = parser.parse_known_args(arguments)
    if overrides and "overrides" not in options:
        parser.error(f"unrecognized arguments: {' '.join(overrides)}")
    options.overrides = overrides
    try:
        return int(options.run(options))
    except UsageError as error:
        print(f"fetal-monai {options.command}: {error}", file=sys.stderr)
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fetal-monai",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fetal-monai {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (measure, page, cohort, locate, node, deidentify, bundle_run, bundle, info):
        module.add_to(commands)
    return parser
