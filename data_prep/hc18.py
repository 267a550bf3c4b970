"""Prepare or check the HC18 data set: python -m data_prep.hc18 --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_prep.command_line import add_split_options, command_parser, exit_code
from data_prep.integrity import format_findings, verify_prepared
from data_prep.summary import segmentation_summary
from data_prep.zenodo import download_record
from fetal_monai.data.preparation.hc18 import DESCRIPTION, inspect_hc18
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.data.preparation.segmentation_dataset import write_segmentation_dataset
from fetal_monai.data.preparation.split import check_fractions

RECORD_URL = "https://zenodo.org/api/records/1327317"
RECORD_FILES = (
    "training_set_pixel_size_and_HC.csv",
    "test_set_pixel_size.csv",
    "training_set.zip",
    "test_set.zip",
)

_DESCRIPTION = """\
Prepare the HC18 data set (fetal head circumference in 2-D ultrasound) for training,
or check it.

Preparing writes into --output_dir:
  labels/NNN_HC.png   masks, 0 background and 255 head: the annotated ellipse, filled
  datalist.json       training, validation and test frames with pixel spacing and HC;
                      frames of one exam (the number a file name starts with) and
                      identical frames are never in different sections
  rejected.csv        frames that could not be used, each with the reason
The images are not copied."""

_EPILOG = """\
examples:
  download from Zenodo (CC BY 4.0) and prepare:
    python -m data_prep.hc18 --download --output_dir data/hc18
  prepare an existing folder, in HC18's own layout
  (training_set/NNN_HC.png, training_set/NNN_HC_Annotation.png,
  training_set_pixel_size_and_HC.csv):
    python -m data_prep.hc18 --source HC18 --output_dir data/hc18
  check that folder and write nothing:
    python -m data_prep.hc18 --source HC18 --verify
  check what was prepared:
    python -m data_prep.hc18 --output_dir data/hc18 --verify
  prepare, then check both:
    python -m data_prep.hc18 --source HC18 --output_dir data/hc18 --verify

exit code: 0 for success (with --verify: no errors found), 1 if --verify found errors,
2 for an error. Identical frames within one exam are a warning (392_HC and 392_2HC are
the same image), which does not change the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments of the command line; those of the process if None.

    Returns:
        Exit code: 0 for success, 1 if `--verify` found errors, 2 for an error.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.download and options.output_dir is None:
        parser.error("--download needs --output_dir, the folder to download into")
    if options.source is None and not options.download and not (options.verify and options.output_dir):
        parser.error("nothing to prepare: give --source HC18_FOLDER or --download")
    if options.output_dir is None and not options.verify:
        parser.error("nothing to do: give --output_dir to prepare, --verify to check, or both")
    return exit_code(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("hc18", _DESCRIPTION, _EPILOG)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--source", type=Path, metavar="DIR", help="folder in HC18's own layout")
    source.add_argument(
        "--download",
        action="store_true",
        help="first download HC18 from Zenodo to OUTPUT_DIR/source; every file is checked against the record's md5, "
        "and existing files are kept",
    )
    parser.add_argument("--output_dir", type=Path, metavar="DIR", help="folder for the prepared data set")
    parser.add_argument("--verify", action="store_true", help="check the source, the prepared data set, or both")
    add_split_options(parser)
    parser.add_argument(
        "--record_url", default=RECORD_URL, metavar="URL", help="JSON of the Zenodo record or of a mirror (%(default)s)"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    check_fractions(options.fractions)
    source: Path | None = options.source
    if options.download:
        source = options.output_dir / "source"
        download_record(options.record_url, RECORD_FILES, source)
    problems: list[Problem] = []
    if source is not None:
        inspection = inspect_hc18(source)
        problems += inspection.problems
        if options.output_dir is not None:
            write_segmentation_dataset(
                inspection, DESCRIPTION, options.output_dir, options.seed, options.fractions, options.folds
            )
            print(segmentation_summary(inspection, options.output_dir))
    if not options.verify:
        return 0
    if options.output_dir is not None:
        # Identical frames of the source are found again in the prepared data set.
        problems += [finding for finding in verify_prepared(options.output_dir) if finding not in problems]
    print(format_findings(problems))
    return int(any(finding.level == "error" for finding in problems))


if __name__ == "__main__":
    sys.exit(main())
