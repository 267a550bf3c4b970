"""Prepare labelled frames for classification: python -m data_prep.fetal_planes --help."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep.command_line import command_parser, exit_code, pattern
from data_prep.plane_table import PLANE_TABLES
from data_prep.summary import classification_summary
from fetal_monai.data.preparation.classification_dataset import write_classification_datalist
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.label_folder import inspect_label_folder
from fetal_monai.data.preparation.labelled_frame import LabelledFrame

_DESCRIPTION = """\
Prepare frames with image-level labels (the visible regions) to train a classifier and
localiser. The classes are head, thorax, abdomen, spine, limbs, placenta and background
(none of the six).

--source is a folder in one of these layouts:
  planes.csv                 standard planes from five African centres (Zenodo 7540448):
                             columns image, plane, patient; images/. Brain is head,
                             femur is limbs
  FETAL_PLANES_DB_data.csv   FETAL_PLANES_DB as published (Zenodo 3904280), with Images/.
                             Fetal brain is head, fetal femur limbs. Maternal cervix is
                             background. 'Other' may show any region and is left out
  labels.csv                 any frames: columns filename, labels ("placenta, limbs"),
                             patient; boxes.csv may add filename, label, x_min, y_min,
                             x_max, y_max. Simulated planes have this layout
  none of these              MetaImage or NIfTI files whose header says Label = Head or
                             Labels = Placenta, Limbs (NIfTI: in descrip)

Writes into --output_dir:
  datalist.json   training, validation and test frames with their classes; all frames of
                  one patient, and identical frames, are in one fold
  rejected.csv    frames that could not be used, each with the reason
The images are not copied."""

_EPILOG = """\
examples:
  FETAL_PLANES_DB, unpacked into FETAL_PLANES_ZENODO:
    python -m data_prep.fetal_planes --source FETAL_PLANES_ZENODO --output_dir data/planes
  simulated frames of all seven classes:
    python -m data_prep.phantom --planes --output_dir data/phantom_planes --count 400
    python -m data_prep.fetal_planes --source data/phantom_planes \\
        --output_dir data/phantom_planes
  MetaImages named patient007_scan3.mhd, with their labels in the headers:
    python -m data_prep.fetal_planes --source scans --output_dir data/scans \\
        --patient_pattern '^(patient\\d+)_'

exit code: 0 for success, 2 for an error. Frames that cannot be used are left out and
reported with the reason; the others are prepared."""

_OWN_FRAMES = {"name": "Labelled frames", "description": "Frames with image-level labels.", "licence": "unknown"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments of the command line; those of the process if None.

    Returns:
        Exit code: 0 for success, 2 for an error.
    """
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _prepare(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("fetal_planes", _DESCRIPTION, _EPILOG)
    parser.add_argument("--source", type=Path, required=True, metavar="DIR", help="folder with the labelled frames")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the data list")
    parser.add_argument(
        "--folds",
        type=int,
        default=5,
        help="number of folds: one for test, one for validation, the others for training (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the folds (default: %(default)s)")
    parser.add_argument(
        "--patient_pattern",
        type=pattern,
        metavar="REGEX",
        help="finds the patient in a file name (the first group, or the whole match) if no table states it",
    )
    return parser


def _prepare(options: argparse.Namespace) -> int:
    inspection, description = _inspect(options.source, options.patient_pattern)
    write_classification_datalist(inspection, description, options.output_dir, options.folds, options.seed)
    print(classification_summary(inspection, options.output_dir))
    return 0


def _inspect(
    source: Path, patient_pattern: re.Pattern[str] | None
) -> tuple[Inspection[LabelledFrame], Mapping[str, str]]:
    for table in PLANE_TABLES:
        if (source / table.table_name).is_file():
            return table.inspect(source), table.description
    return inspect_label_folder(source, patient_pattern), _OWN_FRAMES


if __name__ == "__main__":
    sys.exit(main())
