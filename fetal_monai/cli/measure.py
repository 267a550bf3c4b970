"""`fetal-monai measure`: from frames, DICOM files and videos to millimetres."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_monai import __version__
from fetal_monai.cli import dicomweb, measuring_options
from fetal_monai.cli.exit_codes import INTERRUPTED
from fetal_monai.cli.results_table import results_table
from fetal_monai.cli.run_folder import last_folder, new_folder
from fetal_monai.cli.usage_error import UsageError

if TYPE_CHECKING:
    from fetal_monai.data.frame_source import FrameSource
    from fetal_monai.dicom_report import ReportWriter
    from fetal_monai.dicomweb import ReportStore
    from fetal_monai.measurement import HeadMeasurer
    from fetal_monai.measurement.results_folder import ResultsFolder

_DESCRIPTION = """\
Measure the fetal head: head circumference (HC), biparietal (BPD) and occipitofrontal
diameter (OFD) in mm, and gestational age (GA).

PATH is a file, a folder with its subfolders, or a pattern such as 'exam/*.dcm': PNG, JPEG,
TIFF, BMP, MetaImage, NIfTI, DICOM stills and loops, AVI, MP4; or a server with DICOMweb, see
below. Of a loop, every frame is measured, and the frame to report is proposed.

The pixel spacing is taken from the header, else from --table, else from
--pixel-spacing-mm. Without it there are no millimetres.

Writes into --output-dir:
  measurements.csv, .json   a row for each frame: measured; check: doubtful, look at it;
                            unscaled: no pixel spacing; failed: with the reason
  loops.csv, loops/         of each loop, the frame to report with its picture, and the
                            track of all frames
  masks/, overlays/         with --save
  reports/                  with --report: DICOM files for the study of a DICOM file. There
                            are none of measurements that are doubtful or have no scale:
                            they are listed at the end, and the exit code stays the same"""

_EPILOG = """\
examples:
  one frame of 0.12 mm a pixel:
    fetal-monai measure frame.png --pixel-spacing-mm 0.12
  a folder, with masks and pictures:
    fetal-monai measure exams -o results --save masks overlays
  go on after an interruption:
    fetal-monai measure exams -o results --continue
  structured reports for the PACS:
    fetal-monai measure exam.dcm --report sr
  a study in a PACS, with the reports sent back:
    fetal-monai measure dicomweb://pacs.example.org/dicom-web --study UID --report sr --store
  the third of sixteen machines:
    fetal-monai measure exams -o /shared/results --part 3/16

exit code: 0 all measured, 1 some failed (listed at the end), 2 the command cannot be
carried out as given, 130 interrupted (what was measured is kept)."""

_FOLDER_STEM = "measurements"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "measure",
        help="measure heads in frames, DICOM files and videos",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, a folder, a pattern or a server")
    add("-o", "--output-dir", type=Path, metavar="DIR", help=f"default: a new folder {_FOLDER_STEM}_1, _2, ...")
    add("--save", nargs="+", choices=("masks", "overlays"), default=(), help="what to write beside the tables")
    add(
        "--report",
        nargs="+",
        choices=("sr", "seg", "sc"),
        default=(),
        help="DICOM to write: sr, two structured reports; seg, the mask; sc, the overlay (needs fetal-monai[dicom])",
    )
    add("--table", type=Path, metavar="CSV", help="spacing of each file: the columns filename and pixel_spacing_mm")
    add("--override-pixel-spacing", action="store_true", help="table and option win over the header")
    measuring_options.add_to(parser, batch_size=4)
    add("--csv-format", choices=("plain", "excel"), default="plain", help="excel: semicolons and decimal commas")
    add("--part", type=_part, default=(1, 1), metavar="I/N", help="measure every N-th file only, from the I-th on")
    add("--continue", action="store_true", dest="resume", help="go on with an interrupted run, in its folder")
    add("--quiet", action="store_true", help="print nothing but errors")
    dicomweb.add_options(parser)
    parser.set_defaults(run=measure)


def measure(options: argparse.Namespace) -> int:
    """Measure the frames and print the results.

    Returns:
        The exit code: 0 all measured, 1 some failed, 130 interrupted.

    Raises:
        UsageError: A path, the bundle or the engine does not exist, or an option does not fit.
    """
    # Imported late: --help should be quick.
    from fetal_monai.measurement import HeadMeasurer
    from fetal_monai.measurement.results_folder import ResultsFolder

    with ExitStack() as stack:
        try:
            source = _source(options, stack).part(*options.part)
            store = dicomweb.report_store(options)
            measurer = HeadMeasurer(
                options.bundle,
                engine=options.engine,
                precision=options.precision,
                device=options.device,
                batch_size=options.batch_size,
            )
        except (OSError, ValueError, ImportError) as error:
            raise UsageError(str(error)) from error
        number, count = options.part
        part = "" if count == 1 else f"_part{number}of{count}"
        folder = _output_dir(options)
        results = ResultsFolder(
            folder,
            source.source_dir,
            save=options.save,
            csv_format=options.csv_format,
            part=part,
            reports=_report_writer(options, measurer, folder, source.source_dir, store),
        )
        source = _remaining(source, results) if options.resume else _started(source, results)
        return _run(source, measurer, results, quiet=options.quiet)


def _source(options: argparse.Namespace, stack: ExitStack) -> FrameSource:
    from fetal_monai.data.frame_scale import FrameScales
    from fetal_monai.data.frame_source import open_frame_source

    scale = {
        "pixel_spacing_mm": options.pixel_spacing_mm,
        "table": options.table,
        "override_pixel_spacing": options.override_pixel_spacing,
    }
    if dicomweb.asks_for_study(options):
        return stack.enter_context(dicomweb.study_source(options, FrameScales(**scale)))
    return open_frame_source(list(_expanded(options.paths)), **scale)


def _run(source: FrameSource, measurer: HeadMeasurer, results: ResultsFolder, *, quiet: bool) -> int:
    from tqdm import tqdm

    from fetal_monai.data.rejected import Rejected
    from fetal_monai.measurement.measure_frames import measure_frames

    runtime, began, measured = measurer.runtime, time.perf_counter(), 0
    try:
        with tqdm(total=len(source.files), unit="file", disable=quiet or len(source.files) < 2) as bar:
            current = None
            for item in measure_frames(source, measurer):
                results.add(item)
                measured += not isinstance(item, Rejected)
                bar.update(item.file != current)
                current = item.file
                bar.set_postfix_str(f"{measured} frames", refresh=False)
    except KeyboardInterrupt:
        results.close()
        print(
            f"\nInterrupted: {results.measurements.path} holds what was measured, and the same command with "
            f"-o {results.folder} --continue measures the rest.",
            file=sys.stderr,
        )
        return INTERRUPTED
    seconds = time.perf_counter() - began
    results.finish(
        {
            "fetal_monai": __version__,
            "bundle": measurer.bundle.root.name,
            "weights_sha256": measurer.bundle.weights_sha256,
            "engine": runtime.engine,
            "precision": runtime.precision,
        }
    )
    if not quiet:
        print(results_table(results.measurements.rows, results.loops.rows))
        rate = f"{measured / seconds:.0f} frames/s" if measured > 1 else f"{seconds:.2f} s"
        print(f"\n{runtime.engine} {runtime.precision}, {rate}. {results.measurements.path}")
    return _print_failed(results)


def _report_writer(
    options: argparse.Namespace, measurer: HeadMeasurer, folder: Path, source_dir: Path, store: ReportStore | None
) -> ReportWriter | None:
    if not options.report:
        return None
    try:
        from fetal_monai.dicom_report import ReportWriter
    except ModuleNotFoundError as error:
        raise UsageError(f"--report needs highdicom ({error}): run `pip install 'fetal-monai[dicom]'`.") from error
    return ReportWriter(measurer, options.report, folder, source_dir, store)


def _print_failed(results: ResultsFolder) -> int:
    failed = [row for row in results.measurements.rows if row["status"] == "failed"]
    loops = {loop["file"] for loop in results.loops.rows}
    for row in failed:
        place = f", frame {row['frame']}" if row["file"] in loops else ""
        print(f"failed: {row['file']}{place}: {row['reason']}", file=sys.stderr)
    for file, reason, is_failure in results.unreported:
        print(f"{'report failed' if is_failure else 'no report'}: {file}: {reason}", file=sys.stderr)
    return int(bool(failed) or any(unreported.is_failure for unreported in results.unreported))


def _started(source: FrameSource, results: ResultsFolder) -> FrameSource:
    if results.measurements.path.exists():
        raise UsageError(
            f"{results.measurements.path} exists already. Go on with that run by --continue, or give another folder by "
            "--output-dir."
        )
    results.start()
    return source


def _remaining(source: FrameSource, results: ResultsFolder) -> FrameSource:
    from fetal_monai.reporting.report_files import frame_name

    if not results.measurements.path.exists():
        return _started(source, results)
    try:
        done = results.resume()
    except ValueError as error:
        raise UsageError(f"{error} --continue needs the table of an interrupted run, in the same format.") from error
    return source.without({file for file in source.files if frame_name(file, source.source_dir) in done})


def _output_dir(options: argparse.Namespace) -> Path:
    if options.output_dir is not None:
        folder: Path = options.output_dir
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file: give a folder by --output-dir.")
        return folder
    earlier = last_folder(_FOLDER_STEM) if options.resume else None
    return earlier or new_folder(_FOLDER_STEM)


def _expanded(paths: Sequence[str]) -> Iterator[str]:
    """The paths, and the files that fit patterns: Windows leaves patterns to the program."""
    for path in paths:
        if has_magic(path) and not Path(path).exists():
            found = sorted(glob(path, recursive=True))  # noqa: PTH207 - the pattern may be absolute
            if not found:
                raise FileNotFoundError(f"{path}: no file fits this pattern.")
            yield from found
        else:
            yield path


def _part(text: str) -> tuple[int, int]:
    number, count = (int(word) for word in text.split("/"))
    if not 1 <= number <= count:
        raise ValueError
    return number, count
