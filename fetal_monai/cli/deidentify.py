"""`fetal-monai deidentify`: frames of patients as a training set that does not name them."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_monai.cli.exit_codes import INTERRUPTED
from fetal_monai.cli.usage_error import UsageError

if TYPE_CHECKING:
    from fetal_monai.data.frame_source import FrameSource
    from fetal_monai.deidentification import FrameExport, MeasuredFrames

_DESCRIPTION = """\
Export frames of DICOM files for a training set, without the patients' data. PATH is a DICOM
file or a folder with its subfolders.

Pixels are cropped to the 2-D ultrasound regions that the header states; between several of
them they are black. A file that states none, or more than 95 % of the frame, is refused, since
text about the patient may be a part of its picture: look at it, and state the part to keep by
--crop. Text within the regions stays. Look at every picture before you share it.

Writes into --output-dir:
  images/NAME.png   the frames, gray; or with --format dicom NAME.dcm, whose header has no
                    more than the basic profile of DICOM PS3.15 leaves
  masks/NAME.png    with --results: the masks that `fetal-monai measure --save masks` wrote
  frames.csv        name, patient and pixel spacing of each frame
NAME is the patient's number, drawn at random, and a running one: 483920_0001. The table of
--keys leads back to patient and file. Keep it apart: only its owner can read it."""

_EPILOG = """\
examples:
  measure an archive, and export what was measured with its masks:
    fetal-monai measure exams -o results --save masks
    fetal-monai deidentify exams --results results -o shared --keys private/keys.csv
  prepare the export for training:
    python -m data_prep.mask_folder --images shared/images --masks shared/masks \\
        --table shared/frames.csv --output_dir data/own
  files of a scanner that states no regions; columns 120 to 899, rows 60 to 699:
    fetal-monai deidentify old -o shared --keys private/keys.csv --crop 120,60,899,699

exit code: 0 all exported, 1 some refused or failed (listed at the end), 2 the command cannot
be carried out as given, 130 interrupted (what was exported is kept)."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "deidentify",
        help="export frames for a training set, without the patients' data",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a DICOM file or a folder")
    add("-o", "--output-dir", type=Path, required=True, metavar="DIR", help="folder to share; may hold earlier exports")
    add(
        "--keys",
        type=Path,
        required=True,
        metavar="CSV",
        help="key table, outside DIR; an earlier one is continued",
    )
    add(
        "--results",
        type=Path,
        metavar="DIR",
        help="output folder of `fetal-monai measure` on the same PATHs: only the frames with a head, of a loop the "
        "frame to report, with their masks. Default: all frames, without masks",
    )
    add("--crop", type=_box, metavar="X0,Y0,X1,Y1", help="first column and row, last column and row that are kept")
    add("--format", choices=("png", "dicom"), default="png", help="of the frames (default: png; dicom needs the extra)")
    parser.set_defaults(run=deidentify)


def deidentify(options: argparse.Namespace) -> int:
    """Export the frames and print what was left out.

    Returns:
        The exit code: 0 all exported, 1 some refused or failed, 130 interrupted.

    Raises:
        UsageError: A path does not exist, or the key table would be shared with the frames.
    """
    # Imported late: --help should be quick.
    from fetal_monai.data.frame_source import open_frame_source
    from fetal_monai.deidentification import FrameExport, KeyTable, MeasuredFrames

    if options.keys.resolve().is_relative_to(options.output_dir.resolve()):
        raise UsageError(f"{options.keys} would be in {options.output_dir}, which is shared. Keep it elsewhere.")
    if options.format == "dicom":
        try:
            import dicomanonymizer  # noqa: F401
        except ModuleNotFoundError as error:
            raise UsageError(f"--format dicom needs an extra ({error}): pip install 'fetal-monai[dicom]'.") from error
    try:
        source = open_frame_source(options.paths)
        measured = None if options.results is None else MeasuredFrames(options.results, source)
        keys = KeyTable(options.keys)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from error
    with closing(keys):
        try:
            export = FrameExport(options.output_dir, keys, image_format=options.format, crop=options.crop)
        except ValueError as error:
            raise UsageError(str(error)) from error
        return _run(source, measured, export)


def _run(source: FrameSource, measured: MeasuredFrames | None, export: FrameExport) -> int:
    from fetal_monai.data.rejected import Rejected

    names, failed = set(), []
    try:
        try:
            for item in source:
                if isinstance(item, Rejected):
                    failed.append(item)
                elif measured is None or item in measured:
                    try:
                        names.add(export.add(item, None if measured is None else measured.mask(item)).name)
                    except ValueError as error:
                        failed.append(Rejected(item.file, str(error), None if item.is_still else item.index))
        finally:
            export.finish()
    except KeyboardInterrupt:
        print("\nInterrupted: what was exported is kept; the same command exports all.", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        raise UsageError(f"{error}. What was exported is kept; the same command exports all.") from error
    patients = {name.partition("_")[0] for name in names}
    print(f"Frames: {len(names)}, patients: {len(patients)}. {export.table}")
    for rejected in failed:
        print(f"not exported: {rejected}", file=sys.stderr)
    return int(bool(failed))


def _box(text: str) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(word) for word in text.split(","))
    if not (0 <= left <= right and 0 <= top <= bottom):
        raise ValueError
    return left, top, right, bottom
