"""Prepare labelled frames for classification: python -m data_prep.fetal_planes --help."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from data_prep.options import pattern
from data_prep.plane_table import PLANE_TABLES
from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.data.classification_datalist import load_classification_datalist, write_classification_datalist
from fetal_monai.data.datalist import SECTIONS, fingerprint
from fetal_monai.data.preparation.label_folder import inspect_label_folder
from fetal_monai.data.preparation.labelled_frame import LabelInspection
from fetal_monai.data.preparation.problem import REJECTED_NAME, Problem

_DESCRIPTION = """\
Prepare frames with image-level labels (which regions are in sight) for training a
classifier and localiser. The classes are head, thorax, abdomen, spine, limbs, placenta
and background (none of the six).

--source is a folder in one of these layouts:
  planes.csv                 standard planes from five African centres (Zenodo 7540448):
                             columns image, plane, patient; images/. Brain is head,
                             femur is limbs
  FETAL_PLANES_DB_data.csv   FETAL_PLANES_DB as published (Zenodo 3904280), with Images/.
                             Fetal brain is head, fetal femur limbs. Maternal cervix is
                             background. 'Other' may show any region, so it is left out
  labels.csv                 any frames: columns filename, labels ("placenta, limbs"),
                             patient; boxes.csv may add filename, label, x_min, y_min,
                             x_max, y_max. Simulated planes are laid out so
  none of them               MetaImage or NIfTI files whose header says Label = Head or
                             Labels = Placenta, Limbs (NIfTI: in descrip)

Writes into --output_dir:
  datalist.json   training, validation and test frames with their classes; all frames of
                  one patient, and identical frames, lie in one fold
  rejected.csv    frames that could not be used, each with the reason
The images stay where they are."""

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

exit code: 0 done, 2 could not do it. A frame that cannot be used is left out with its
reason, and the rest goes on."""

_OWN_FRAMES = {"name": "Labelled frames", "description": "Frames with image-level labels.", "licence": "unknown"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words of the command line; those of the process when None.

    Returns:
        Exit code: 0 done, 2 could not do it.
    """
    options = _parser().parse_args(arguments)
    try:
        inspection, description = _inspect(options.source, options.patient_pattern)
        write_classification_datalist(inspection, description, options.output_dir, options.folds, options.seed)
        print(_summary(inspection, options.output_dir))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.fetal_planes",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--source", type=Path, required=True, metavar="DIR", help="folder with the labelled frames")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the data list")
    parser.add_argument(
        "--folds",
        type=int,
        default=5,
        help="number of folds: one tests, one validates, the others train (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: %(default)s)")
    parser.add_argument(
        "--patient_pattern",
        type=pattern,
        metavar="REGEX",
        help="finds the patient in a file's name (the first group, or the whole match) where no table names it",
    )
    return parser


def _inspect(source: Path, patient_pattern: re.Pattern[str] | None) -> tuple[LabelInspection, Mapping[str, str]]:
    for table in PLANE_TABLES:
        if (source / table.table_name).is_file():
            return table.inspect(source), table.description
    return inspect_label_folder(source, patient_pattern), _OWN_FRAMES


def _summary(inspection: LabelInspection, output_dir: Path) -> str:
    lines = [f"Prepared {len(inspection.frames)} frames in {output_dir}:"]
    header = "".join(f"{name:>11}" for name in ANATOMICAL_CLASSES)
    lines.append(f"  {'':<10} {'frames':>7} {'patients':>8}{header}")
    for section in SECTIONS:
        frames = load_classification_datalist(output_dir, section)
        counts = "".join(f"{int(count):>11}" for count in np.sum([frame["target"] for frame in frames], axis=0))
        lines.append(f"  {section:<10} {len(frames):>7} {len({frame['patient'] for frame in frames}):>8}{counts}")
    lines.append(f"  fingerprint {fingerprint(output_dir)}")
    if inspection.left_out:
        lines.append(f"Left out {len(inspection.left_out)}, listed in {output_dir / REJECTED_NAME}:")
        lines += _reasons(inspection.left_out)
    return "\n".join(lines)


def _reasons(problems: Sequence[Problem]) -> list[str]:
    """One indented line a reason: the file, or how many of them."""
    count_of = Counter(finding.detail for finding in problems)
    file_of = {finding.detail: finding.file for finding in problems}
    return [f"  {file_of[why] if count == 1 else f'{count} files'}: {why}" for why, count in count_of.items()]


if __name__ == "__main__":
    sys.exit(main())
