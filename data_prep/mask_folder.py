"""Prepare own images and masks: python -m data_prep.mask_folder --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_prep.command_line import add_split_options, command_parser, exit_code, pattern
from data_prep.summary import segmentation_summary
from fetal_monai.data.preparation.mask_folder import inspect_mask_folder
from fetal_monai.data.preparation.name_pattern import LEADING_NUMBER
from fetal_monai.data.preparation.segmentation_dataset import write_segmentation_dataset
from fetal_monai.data.preparation.split import check_fractions

_DESCRIPTION = """\
Turn a folder of images and a folder of masks into a data set for training. The mask of
images/NAME.png is masks/NAME.png or masks/NAME_mask.png; either may be of any kind that
inference takes (PNG, JPEG, TIFF, BMP, MetaImage, NIfTI, DICOM), and in subfolders. In a
mask, 0 is background and one other value is head.

The pixel spacing comes from the image's header, else from --table, else from
--pixel_spacing_mm. It may be unknown: such frames train, and give Dice, but no
figures in mm.

Writes into --output_dir:
  labels/NAME.png   masks, 0 background and 255 head
  datalist.json     training, validation and test frames with pixel spacing, and the head
                    circumference in mm of the ellipse fitted to the mask; frames of one
                    exam and identical frames are never in different sections
  rejected.csv      images and masks that could not be used, each with the reason
The images are not copied."""

_EPILOG = """\
examples:
  files named as in HC18, where the leading number is the exam:
    python -m data_prep.mask_folder --images images --masks masks --output_dir data/own
  files named patient07_scan2.png, 0.12 mm a pixel:
    python -m data_prep.mask_folder --images images --masks masks --output_dir data/own \\
        --exam_pattern '^(patient\\d+)_' --pixel_spacing_mm 0.12
  every image is an exam of its own, five folds:
    python -m data_prep.mask_folder --images images --masks masks --output_dir data/own \\
        --exam_pattern '.+' --folds 5

exit code: 0 done, 2 could not do it. A file that cannot be used is left out with its
reason, and the rest goes on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words of the command line; those of the process when None.

    Returns:
        Exit code: 0 done, 2 could not do it.
    """
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _prepare(options))


def _prepare(options: argparse.Namespace) -> int:
    check_fractions(options.fractions)
    inspection = inspect_mask_folder(
        options.images, options.masks, options.exam_pattern, options.pixel_spacing_mm, options.table
    )
    description = {"name": options.name, "description": "Images with masks of the fetal head."}
    write_segmentation_dataset(
        inspection, description, options.output_dir, options.seed, options.fractions, options.folds
    )
    print(segmentation_summary(inspection, options.output_dir))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("mask_folder", _DESCRIPTION, _EPILOG)
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder with the images")
    parser.add_argument("--masks", type=Path, required=True, metavar="DIR", help="folder with the masks")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the data set")
    parser.add_argument("--name", default="own data", help="name of the data set in the data list (%(default)s)")
    parser.add_argument(
        "--exam_pattern",
        type=pattern,
        default=LEADING_NUMBER,
        metavar="REGEX",
        help="where in an image's name, with its subfolder, the exam is: the first group, or the whole match "
        "(default: the leading number)",
    )
    parser.add_argument(
        "--pixel_spacing_mm",
        type=float,
        metavar="MM",
        help="spacing of the images for which neither the header nor the table states one",
    )
    parser.add_argument(
        "--table", type=Path, metavar="CSV", help="spacing of each image: the columns filename and pixel size(mm)"
    )
    add_split_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
