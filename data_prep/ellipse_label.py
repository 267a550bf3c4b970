"""Prepare a data set from ellipse labels in XML: python -m data_prep.ellipse_label --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from data_prep.command_line import add_split_options, command_parser, exit_code, pattern
from data_prep.summary import reasons, segmentation_summary
from fetal_monai.data.preparation.ellipse_dataset import inspect_ellipse_labels
from fetal_monai.data.preparation.ellipse_label import EllipseLabel, write_ellipse_label
from fetal_monai.data.preparation.hc18 import inspect_hc18
from fetal_monai.data.preparation.name_pattern import LEADING_NUMBER
from fetal_monai.data.preparation.segmentation_dataset import write_segmentation_dataset
from fetal_monai.data.preparation.split import check_fractions

_DESCRIPTION = """\
Prepare a data set from ellipse labels: one XML file per image, with the ellipse of the
fetal head. docs/ellipse_labels.md describes the format; its schema is
fetal_monai/data/preparation/ellipse_label.xsd.

  from_hc18   write the annotations of HC18 as ellipse labels
  prepare     convert images and labels to masks and a data list for training"""

_EPILOG = """\
examples:
  HC18's annotations as XML, one NNN_HC.xml per frame:
    python -m data_prep.ellipse_label from_hc18 --source HC18 --output_dir labels
  masks and a data list from images and labels:
    python -m data_prep.ellipse_label prepare --images HC18/training_set --labels labels \\
        --output_dir data/ellipses
  options of a command:
    python -m data_prep.ellipse_label prepare --help

exit code: 0 for success, 2 for an error. Files that cannot be used are left out and
reported with the reason; the others are prepared."""

_FROM_HC18 = """\
Write the annotation of every usable frame of HC18 as an ellipse label, NNN_HC.xml.
--source is a folder in HC18's own layout: training_set/NNN_HC.png,
training_set/NNN_HC_Annotation.png, training_set_pixel_size_and_HC.csv."""

_PREPARE = """\
Convert images and ellipse labels to a data set for training. A label names its image;
their sizes must agree. Images may have any format that inference supports.

Writes into --output_dir:
  labels/NAME.png   masks, 0 background and 255 head: the ellipse of NAME.xml, filled
  datalist.json     training, validation and test frames with pixel spacing, and the head
                    circumference of the ellipse in mm (neither where the spacing is
                    unknown); frames of one exam and identical frames are never in
                    different sections
  rejected.csv      labels and images that could not be used, each with the reason: no
                    counterpart, a different size, invalid XML
The images are not copied."""

_PREPARE_EPILOG = """\
examples:
  files named as in HC18, where the leading number is the exam:
    python -m data_prep.ellipse_label prepare --images frames --labels labels \\
        --output_dir data/ellipses
  files named Patient00168_Plane3.png, where the exam is the patient:
    python -m data_prep.ellipse_label prepare --images frames --labels labels \\
        --output_dir data/ellipses --exam_pattern '^Patient(\\d+)_'"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments of the command line; those of the process if None.

    Returns:
        Exit code: 0 for success, 2 for an error.
    """
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _from_hc18(options) if options.command == "from_hc18" else _prepare(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("ellipse_label", _DESCRIPTION, _EPILOG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="{from_hc18,prepare}")

    from_hc18 = commands.add_parser(
        "from_hc18", description=_FROM_HC18, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    from_hc18.add_argument("--source", type=Path, required=True, metavar="DIR", help="folder in HC18's own layout")
    from_hc18.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the labels")

    prepare = commands.add_parser(
        "prepare", description=_PREPARE, epilog=_PREPARE_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    prepare.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder with the images")
    prepare.add_argument("--labels", type=Path, required=True, metavar="DIR", help="folder with the labels, *.xml")
    prepare.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the data set")
    prepare.add_argument(
        "--exam_pattern",
        type=pattern,
        default=LEADING_NUMBER,
        metavar="REGEX",
        help="finds the exam in an image's file name: the first group, or the whole match "
        "(default: the leading number)",
    )
    add_split_options(prepare)
    return parser


def _from_hc18(options: argparse.Namespace) -> int:
    inspection = inspect_hc18(options.source)
    for frame in tqdm(inspection.frames, desc="Writing labels", unit="label"):
        label = EllipseLabel(frame.image.name, frame.shape, frame.ellipse_px, frame.pixel_spacing_mm)
        write_ellipse_label(options.output_dir / f"{frame.image.stem}.xml", label)
    lines = [f"Wrote {len(inspection.frames)} labels into {options.output_dir}"]
    if inspection.left_out:
        lines += [f"Left out {len(inspection.left_out)}:", *reasons(inspection.left_out)]
    print("\n".join(lines))
    return 0


def _prepare(options: argparse.Namespace) -> int:
    check_fractions(options.fractions)
    inspection = inspect_ellipse_labels(options.images, options.labels, options.exam_pattern)
    description = {
        "name": options.labels.resolve().name,
        "description": "Images with one ellipse each; masks are the filled ellipses.",
    }
    write_segmentation_dataset(
        inspection, description, options.output_dir, options.seed, options.fractions, options.folds
    )
    print(segmentation_summary(inspection, options.output_dir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
