"""Write the comparison's files from the runs in an MLflow store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fetal_monai.comparison.agreement import agreement
from fetal_monai.comparison.comparable import check_comparable, check_same_folds
from fetal_monai.comparison.frames_figure import frames_figure
from fetal_monai.comparison.measures import PAIRED
from fetal_monai.comparison.methods import Method, best_of_each, group
from fetal_monai.comparison.paired import compare_pairs
from fetal_monai.comparison.papers import load_papers
from fetal_monai.comparison.plots import bland_altman, training_curves
from fetal_monai.comparison.region_plots import confusion_matrices, precision_recall_curves
from fetal_monai.comparison.report import FIGURES, LATEX, MARKDOWN, PAGE, Report
from fetal_monai.comparison.store import Store
from fetal_monai.comparison.table import Table
from fetal_monai.comparison.tables import agreement_table, methods_table, paired_table, paper_table, runs_table
from fetal_monai.comparison.tracked import track


def compare(
    store_uri: str,
    output_dir: Path,
    section: str = "test",
    data_fingerprint: str | None = None,
    names: Sequence[str] = (),
    best: bool = False,
    data_dir: Path | None = None,
    frames: int = 5,
) -> Path:
    """Compare the evaluations in a store, write the result, and log it to the store.

    Args:
        store_uri: MLflow's tracking URI.
        output_dir: Folder of the files.
        section: Section that was evaluated.
        data_fingerprint: Fingerprint of the data set that was evaluated; None if all runs used the same one.
        names: Names of the evaluations to compare, or of the trainings whose evaluations to compare; empty for all.
        best: Keep, of several settings of a method, only the best one in validation.
        data_dir: Prepared data set, to show frames; None for a page without them.
        frames: Number of frames shown.

    Returns:
        The path of the page.

    Raises:
        ComparisonError: There is nothing to compare, or the runs cannot be compared in one table.
    """
    store = Store(store_uri)
    wanted = {"section": section, **({"data_fingerprint": data_fingerprint} if data_fingerprint else {})}
    evaluations = store.evaluations(wanted, names)
    check_comparable(evaluations)
    papers = load_papers()
    methods = group(evaluations, papers)
    if best:
        methods = best_of_each(methods, papers)
    check_same_folds(methods)

    of_papers = [table for paper in papers if (table := paper_table(paper, methods)) is not None]
    agreements = [each for method in methods if (each := agreement(method)) is not None]
    pairs = compare_pairs(methods, PAIRED)
    pictures = [
        None if data_dir is None else frames_figure(methods, store, data_dir, frames),
        bland_altman(agreements),
        precision_recall_curves(methods),
        confusion_matrices(methods),
        training_curves(methods),
    ]
    report = Report(
        title="Comparison",
        note=_described(methods, section, best),
        content=[
            methods_table(methods),
            *of_papers,
            *([paired_table(pairs)] if pairs else []),
            *([agreement_table(agreements)] if agreements else []),
            *(picture for picture in pictures if picture is not None),
            runs_table(methods),
        ],
    )
    page = report.write(output_dir)
    tables = [output_dir / f"{item.name}.csv" for item in report.content if isinstance(item, Table)]
    parameters = {**wanted, "data_fingerprint": _fingerprint(methods), "runs": " ".join(names) or "all", "best": best}
    files = [output_dir / PAGE, output_dir / MARKDOWN, *tables, output_dir / FIGURES, output_dir / LATEX]
    track(store, methods, parameters, files)
    return page


def _fingerprint(methods: Sequence[Method]) -> str:
    return methods[0].evaluations[0].parameters.get("data_fingerprint", "unknown")


def _described(methods: Sequence[Method], section: str, best: bool) -> str:
    frames, folds = methods[0].frames, methods[0].folds
    evaluated = f"{frames} frames" if folds == (None,) else f"{frames} frames in {len(folds)} folds"
    trained_on = {
        each.training.parameters.get("data_fingerprint", "unknown")
        for method in methods
        for each in method.evaluations
        if each.training is not None
    }
    elsewhere = trained_on - {_fingerprint(methods)}
    trainings = [each.training for method in methods for each in method.evaluations if each.training is not None]
    limited = sum(training.time_limit for training in trainings)
    small = f"Small runs: {limited} of {len(trainings)} trainings had a time limit; the papers' schedules have none."
    sentences = [
        f"Section '{section}' of the data with the fingerprint {_fingerprint(methods)}, {evaluated}.",
        *([f"Trained on other data, with the fingerprint {', '.join(elsewhere)}."] if elsewhere else []),
        *([small] if limited else []),
        *(["For each method, the best setting in validation."] if best else []),
    ]
    return " ".join(sentences)
