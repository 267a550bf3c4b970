r"""Run every row of a paper's tables, and compare.

Trains and evaluates each row with each seed (and fold) by the bundles' own commands, which are printed, and writes the
comparison (docs/comparing.md). If it is killed, the same command resumes it.

Examples:
    python -m fetal_monai.reproduction gan --dataset_dir data/hc18 --seeds 0 1 2
    python -m fetal_monai.reproduction dilated_unet --dataset_dir data/hc18 --quick 30
    python -m fetal_monai.reproduction bisenet --dataset_dir data/hc18 --rows bisenet_256x160 --nproc_per_node 2
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from fetal_monai.comparison.papers import load_papers
from fetal_monai.reproduction.errors import ReproductionError


def main(arguments: Sequence[str] | None = None) -> None:
    """Reproduce a paper's tables."""
    papers = {paper.key: paper for paper in load_papers()}
    listed = "\n".join(
        f"  {paper.key}: {paper.title}\n" + "".join(f"    {row.key}\n" for row in paper.rows if row.run is not None)
        for paper in papers.values()
    )
    parser = argparse.ArgumentParser(
        prog="python -m fetal_monai.reproduction",
        description=__doc__,
        epilog=f"papers and their rows:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paper", choices=papers, help="the paper to reproduce")
    parser.add_argument("--dataset_dir", type=Path, required=True, help="prepared data set")
    parser.add_argument(
        "--output_dir", type=Path, default=Path("reproduction"), help="folder of the results (default: reproduction)"
    )
    parser.add_argument("--rows", nargs="+", default=(), metavar="ROW", help="only these rows (default: all)")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=(0,), metavar="SEED", help="seeds of the trainings (default: 0)"
    )
    parser.add_argument(
        "--folds",
        nargs="+",
        type=int,
        default=(),
        metavar="FOLD",
        help="only these folds of a cross-validation (default: all)",
    )
    parser.add_argument(
        "--quick",
        type=float,
        metavar="MINUTES",
        help="small inputs, and as many epochs as fit into about this time in all; at least one epoch for each row",
    )
    parser.add_argument(
        "--override",
        nargs="+",
        default=(),
        metavar="NAME=VALUE",
        help="overrides as in the bundles' READMEs, for every config that has them: num_workers=8 pretrained=FILE",
    )
    parser.add_argument(
        "--nproc_per_node", type=int, default=1, metavar="N", help="processes per training (default: 1)"
    )
    parser.add_argument(
        "--store", help="MLflow's tracking URI (default: MLFLOW_TRACKING_URI, else in the output folder)"
    )
    parser.add_argument(
        "--bundles_dir", type=Path, default=Path("bundles"), help="folder of the bundles (default: bundles)"
    )
    options = parser.parse_args(arguments)
    # Imported late: they import MONAI and MLflow, and --help should be quick.
    from fetal_monai.reproduction.plan import Plan
    from fetal_monai.reproduction.reproduce import reproduce

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        outcome = reproduce(
            Plan(
                paper=papers[options.paper],
                dataset_dir=options.dataset_dir,
                output_dir=options.output_dir,
                bundles_dir=options.bundles_dir,
                rows=options.rows,
                seeds=options.seeds,
                folds=options.folds,
                quick=options.quick is not None,
                overrides=_overrides(options.override),
                processes=options.nproc_per_node,
            ),
            store_uri=options.store or os.environ.get("MLFLOW_TRACKING_URI"),
            minutes=options.quick,
        )
    except ReproductionError as error:
        parser.error(str(error))
    if outcome.page is not None:
        print(f"\n{outcome.page.with_suffix('.md').read_text(encoding='utf-8')}\n{outcome.page}")
    if outcome.failed:
        failed = "".join(f"\n  {what}: {why}" for what, why in outcome.failed.items())
        sys.exit(f"{len(outcome.failed)} failed; run the same command to try them again:{failed}")


def _overrides(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text.removeprefix("="):
            raise ReproductionError(f"The override '{text}' does not have the form NAME=VALUE.")
    return dict(text.split("=", 1) for text in texts)


if __name__ == "__main__":
    main()
