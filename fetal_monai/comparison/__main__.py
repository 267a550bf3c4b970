r"""Compare evaluations on one page: the papers' tables with our results, statistics, curves and frames.

Reads finished evaluations from an MLflow store, and the trainings that made their weights. Runs that differ only in
the seed, or in the fold of a cross-validation, are one method. Runs on different data, sections, folds or frames are
refused, never mixed.

Example:
    python -m fetal_monai.comparison --output_dir comparison --data_dir data/hc18
    python -m fetal_monai.comparison --output_dir comparison --store sqlite:///mlruns/mlruns.db --best
    python -m fetal_monai.comparison --output_dir comparison --runs gan_deeplab-train-20260101-120000-abcdef ...

Writes comparison.html (a self-contained file), comparison.md, one CSV file per table, figures/, and latex/ (the tables
and figures for a paper), and logs them to the store as a run of stage "comparison".
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.data.datalist import SECTIONS


def main() -> None:
    """Write the comparison."""
    parser = argparse.ArgumentParser(
        prog="python -m fetal_monai.comparison",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output_dir", type=Path, required=True, help="folder of the results")
    parser.add_argument("--store", help="MLflow's tracking URI (default: MLFLOW_TRACKING_URI, else mlruns/mlruns.db)")
    parser.add_argument(
        "--section", choices=SECTIONS, default="test", help="section that was evaluated (default: test)"
    )
    parser.add_argument("--data_fingerprint", help="fingerprint of the evaluated data set, if the store has several")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--runs",
        nargs="+",
        default=(),
        metavar="NAME",
        help="only these evaluations or trainings (default: all)",
    )
    which.add_argument(
        "--best", action="store_true", help="of several settings of a method, keep only the best one in validation"
    )
    parser.add_argument("--data_dir", type=Path, help="prepared data set, to show frames with masks on the page")
    parser.add_argument("--frames", type=int, default=5, help="number of frames shown (default: 5)")
    options = parser.parse_args()
    # Imported late: they import MONAI and MLflow, and --help should be quick.
    from fetal_monai.comparison.compare import compare
    from fetal_monai.tracking.store import tracking_uri

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one bar for each small file
    try:
        page = compare(
            store_uri=options.store or tracking_uri(Path.cwd()),
            output_dir=options.output_dir,
            section=options.section,
            data_fingerprint=options.data_fingerprint,
            names=options.runs,
            best=options.best,
            data_dir=options.data_dir,
            frames=options.frames,
        )
    except (ComparisonError, FileNotFoundError) as error:
        parser.error(str(error))
    print(page)


if __name__ == "__main__":
    main()
