"""`fetal-monai cohort`: from an archive of frames to Parquet files, on one machine or a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fetal_monai import __version__
from fetal_monai.cli import measuring_options
from fetal_monai.cli.exit_codes import INTERRUPTED
from fetal_monai.cli.usage_error import UsageError

if TYPE_CHECKING:
    from fetal_monai.cohort.cohort_source import CohortSource
    from fetal_monai.cohort.result_folder import ResultFolder

_DESCRIPTION = """\
Measure the fetal head in all frames of an archive, as `fetal-monai measure` does, on all
cores of this machine or on a Ray cluster.

SOURCE is a folder with its subfolders, or a manifest: a CSV or Parquet table with a row for
each file and the columns below. SOURCE and OUT may be addresses, such as s3://bucket/exams.
  filename                  relative to the folder of the manifest
  pixel_spacing_mm          if the file does not state it
  gestational_age_days      if it is known from a dating scan
  patient, exam             handed on to the results

Writes into OUT:
  part-000000.parquet, ...  a row for each frame, and for each file that failed, in the order
                            of the files
  summary.md, summary.png   counts, reasons of failures, distribution of HC, and HC against
                            gestational age where it is known; logged to MLflow too
  cohort.json               what was measured, and how

The same command continues a run that was interrupted or killed: parts that are complete are
not measured again. A file over which a worker process ends twice, alone, is a failed row."""

_EPILOG = """\
examples:
  a folder:
    fetal-monai cohort archive results
  a table of files, on a cluster with eight GPUs:
    fetal-monai cohort frames.parquet results --address auto --device cuda
  read the results:
    python -c "import pandas; print(pandas.read_parquet('results').status.value_counts())"

exit code: 0 all measured, 1 some failed, 2 the command cannot be carried out as given,
130 interrupted (the parts that are complete are kept)."""

_CHARTS = "summary.png"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "cohort",
        help="measure heads in a whole archive, on one machine or a cluster",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a folder or a manifest")
    add("out", metavar="OUT", help="folder of the results")
    add("--override-pixel-spacing", action="store_true", help="manifest and option win over the header")
    measuring_options.add_to(parser, batch_size=8)
    add("--engines", type=int, metavar="N", help="default: one for each GPU with --device cuda, else for two cores")
    add("--files-per-part", type=int, default=256, metavar="N", help="files of a Parquet file (default: %(default)s)")
    add("--address", metavar="ADDRESS", help="of a Ray cluster: auto, or HOST:PORT (default: start one here)")
    add("--cores", type=int, metavar="N", help="cores of the cluster that is started here (default: all)")
    add("--object-store-mib", type=int, metavar="N", help="its memory for what waits between the stages")
    add("--quiet", action="store_true", help="print nothing but errors")
    parser.set_defaults(run=cohort)


def cohort(options: argparse.Namespace) -> int:
    """Measure the cohort.

    Returns:
        The exit code: 0 all measured, 1 some failed, 130 interrupted.

    Raises:
        UsageError: The source, the bundle or the engine does not exist, or an option does not fit.
    """
    try:  # imported late: --help should be quick
        from fetal_monai.cohort.cluster import connected
    except ModuleNotFoundError as error:
        raise UsageError(f"cohort needs Ray ({error}): run `pip install 'fetal-monai[cluster]'`.") from error
    from fetal_monai.cohort.cohort_source import open_cohort
    from fetal_monai.cohort.result_folder import ResultFolder

    for name in ("engines", "files_per_part", "cores", "batch_size", "object_store_mib"):
        if (number := getattr(options, name)) is not None and number < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {number}; expected 1 or more.")
    try:
        source = open_cohort(
            options.source,
            pixel_spacing_mm=options.pixel_spacing_mm,
            override_pixel_spacing=options.override_pixel_spacing,
        )
        results = ResultFolder(options.out)
        with connected(options.address, options.cores, options.object_store_mib):
            try:
                return _measure(options, source, results)
            finally:
                source.remove_copies()
    except KeyboardInterrupt:
        print(f"\nInterrupted: {options.out} holds what is complete; the same command continues.", file=sys.stderr)
        return INTERRUPTED
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(str(error)) from error


def _measure(options: argparse.Namespace, source: CohortSource, results: ResultFolder) -> int:
    from tqdm import tqdm

    from fetal_monai.cohort.cluster import engine_count, engine_resources, selected_engine
    from fetal_monai.cohort.measure_cohort import measure_cohort
    from fetal_monai.cohort.pipeline import Pipeline
    from fetal_monai.cohort.stages import EngineChoice
    from fetal_monai.runtimes import find_bundle

    bundle, resources = find_bundle(options.bundle), engine_resources(options.device)
    engines = engine_count(options.engines, resources)
    choice = EngineChoice(options.bundle, options.engine, options.precision, options.device)
    choice = selected_engine(choice, resources)
    run = {
        "bundle": bundle.root.name,
        "weights_sha256": bundle.weights_sha256,
        "engine": choice.engine,
        "precision": choice.precision,
        "fetal_monai": __version__,
    }
    results.start({**_input(options, source), **run})
    pipeline = Pipeline(choice, bundle.spatial_size, options.batch_size, engines, resources, source.frames.source_dir)
    total, there = len(source.frames.files), len(results.shards())
    failed = 0
    with tqdm(
        total=total, initial=min(there * options.files_per_part, total), unit="file", disable=options.quiet
    ) as bar:

        def done(files: int, rows: Iterable[dict[str, Any]]) -> None:
            nonlocal failed
            failed += sum(row["status"] == "failed" for row in rows)
            bar.update(files)
            bar.set_postfix_str(f"{failed} failed", refresh=False)

        measure_cohort(source, results, pipeline, files_per_shard=options.files_per_part, run=run, done=done)
    return _summarise(options, results, {**_input(options, source), **run})


def _summarise(options: argparse.Namespace, results: ResultFolder, run: dict[str, Any]) -> int:
    """Write and log the summary; return the exit code."""
    from mlflow.exceptions import MlflowException

    from fetal_monai.cohort.charts import charts_png
    from fetal_monai.cohort.summary import SUMMARY_COLUMNS, Summary
    from fetal_monai.cohort.tracked import track
    from fetal_monai.runtimes import find_bundle
    from fetal_monai.tracking import tracking_uri

    summary = Summary.of(results.table(list(SUMMARY_COLUMNS)))
    stated = {"source": options.source, "results": options.out, **run}
    files = {"summary.md": summary.markdown(stated, _CHARTS).encode(), _CHARTS: charts_png(summary)}
    for name, content in files.items():
        results.write(name, content)
    try:
        track(tracking_uri(find_bundle(options.bundle).root), stated, summary.metrics, files)
    except (MlflowException, OSError) as error:  # the results are there all the same
        print(f"MLflow does not take the run ({error}).", file=sys.stderr)
    if not options.quiet:
        counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items() if count)
        print(f"{counts}. {results.place}/summary.md")
    return int(summary.counts["failed"] > 0)


def _input(options: argparse.Namespace, source: CohortSource) -> dict[str, Any]:
    spacing_mm = options.pixel_spacing_mm
    return {
        "files": len(source.frames.files),
        "files_sha256": source.sha256,
        "files_per_part": options.files_per_part,
        "pixel_spacing_mm": list(spacing_mm) if isinstance(spacing_mm, tuple) else spacing_mm,
        "override_pixel_spacing": options.override_pixel_spacing,
    }
