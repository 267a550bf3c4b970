"""The comparison's tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from scipy import stats

from fetal_monai.comparison.agreement import Agreement
from fetal_monai.comparison.measures import ALL_METHODS, Measure, mean_and_spread
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.paired import PairedDifference
from fetal_monai.comparison.papers import Paper
from fetal_monai.comparison.store import Evaluation
from fetal_monai.comparison.table import Table


def methods_table(methods: Sequence[Method]) -> Table:
    """Return the table of all methods; a measure that no method has gets no column."""
    measures = [measure for measure in ALL_METHODS if any(method.values(measure.key) for method in methods)]
    return Table(
        name="methods",
        title="All methods on the same frames",
        note=" ".join(
            [
                "Means over the frames. For several runs (seeds, folds of a cross-validation): mean ± sample standard "
                "deviation of the runs' means. Input: columns x rows of the network's input, as in the papers.",
                *_notes(measures),
            ]
        ),
        header=["method", "runs", "frames", "epochs", "input", *(measure.heading for measure in measures)],
        rows=[
            [
                method.name,
                _runs(method),
                str(method.frames),
                _epochs(method),
                _input(method),
                *(measure.text(method.values(measure.key)) for measure in measures),
            ]
            for method in methods
        ],
        records=[
            {
                **{"method": method.name, "runs": len(method.evaluations), "frames": method.frames},
                **{"epochs": _epochs(method), "input": _input(method), **_numbers(method, measures)},
            }
            for method in methods
        ],
    )


def paper_table(paper: Paper, methods: Sequence[Method]) -> Table | None:
    """Return a paper's own rows, each followed by ours; None if there is none of ours."""
    rows, records = [], []
    found = False
    for row in paper.rows:
        reported = [f"{row.reported[c.key]:.{c.digits}f}" if c.key in row.reported else "" for c in paper.columns]
        rows.append([row.method, "paper", *reported])
        scaled = {c.key: row.reported[c.key] / c.factor for c in paper.columns if c.key in row.reported}
        records.append({"method": row.method, "source": "paper", **scaled})
        for method in methods:
            if row.describes(method.parameters):
                found = True
                source = f"ours, {_runs(method)}"
                rows.append(
                    [method.name, source, *(column.text(method.values(column.key)) for column in paper.columns)]
                )
                records.append({"method": method.name, "source": "ours", **_numbers(method, paper.columns)})
    if not found:
        return None
    return Table(
        name=f"paper_{paper.key}",
        title=paper.title,
        note=f"{paper.note} The paper's rows are on a different split and are not directly comparable with ours. Ours: "
        "mean ± sample standard deviation over the runs.",
        header=["method", "source", *(column.heading for column in paper.columns)],
        rows=rows,
        records=records,
    )


def paired_table(differences: Sequence[PairedDifference]) -> Table:
    """Return the table of paired differences; p-values are adjusted for all comparisons in the table."""
    adjusted = _adjusted([difference.wilcoxon_p for difference in differences])
    rows, records = [], []
    for each, p in zip(differences, adjusted, strict=True):
        factor, digits = each.measure.factor, each.measure.digits
        low, high = (limit * factor for limit in each.confidence_interval)
        by_run = zip(each.runs, each.run_differences, strict=True)
        rows.append(
            [
                *(each.measure.heading, each.first, each.second),
                f"{each.frames}" + (f" ({each.left_out} left out)" if each.left_out else ""),
                f"{each.mean * factor:+.{digits}f}",
                f"{low:+.{digits}f} to {high:+.{digits}f}",
                f"{each.median * factor:+.{digits}f}",
                *(_p_value(each.wilcoxon_p), _p_value(p)),
                "; ".join(f"{run}: {value * factor:+.{digits}f}" for run, value in by_run),
                _signed(each.measure, each.run_differences),
            ]
        )
        records.append(
            {
                **{"metric": each.measure.key, "first": each.first, "second": each.second},
                **{"frames": each.frames, "left_out": each.left_out},
                **{"mean_difference": each.mean, "median_difference": each.median},
                **dict(zip(("ci_95_low", "ci_95_high"), each.confidence_interval, strict=True)),
                **{"wilcoxon_p": each.wilcoxon_p, "wilcoxon_p_adjusted": p},
                **dict(zip(("run_mean", "run_sd"), mean_and_spread(each.run_differences), strict=True)),
                "common_runs": "; ".join(each.runs),
            }
        )
    return Table(
        name="paired",
        title="Two methods on the same frames",
        note="First minus second. Each frame's value is averaged over a method's seeds, and the folds of a "
        "cross-validation are pooled: each frame is tested in one. 95 % interval: bootstrap over the frames (BCa). "
        "p: Wilcoxon signed-rank test (for correct or wrong: McNemar's), also adjusted for the number of comparisons "
        "(Benjamini-Hochberg). It tests on which side most frames are, so a few bad frames can give the mean the "
        "opposite sign. Both treat frames as independent, although frames of one exam resemble each other: read them "
        "as the best case. They describe these trainings; only the differences by run show whether other trainings "
        "would do the same.",
        header=[
            *("measure", "first", "second", "frames", "mean difference", "95 % interval", "median", "p", "p adjusted"),
            *("by run", "over runs"),
        ],
        rows=rows,
        records=records,
    )


def agreement_table(agreements: Sequence[Agreement]) -> Table:
    """Return the table of bias and limits of agreement of the head circumference."""
    return Table(
        name="agreement",
        title="Agreement of the head circumference with the label",
        note="Bland and Altman: bias and limits of agreement (bias ± 1.96 standard deviations) of the measured HC "
        "minus the label's. The frames of all seeds are pooled.",
        header=["method", "frames measured", "not measured", "bias mm", "limits of agreement mm"],
        rows=[
            [
                *(each.method, f"{len(each.difference_mm)}", f"{each.unmeasured}", f"{each.bias_mm:+.2f}"),
                "{:+.2f} to {:+.2f}".format(*each.limits_mm),
            ]
            for each in agreements
        ],
        records=[
            {
                **{"method": each.method, "measured": len(each.difference_mm), "unmeasured": each.unmeasured},
                **{"bias_mm": each.bias_mm, "lower_limit_mm": each.limits_mm[0], "upper_limit_mm": each.limits_mm[1]},
            }
            for each in agreements
        ],
    )


def runs_table(methods: Sequence[Method]) -> Table:
    """Return the table of the runs that the results come from."""
    header = ["method", "fold", "seed", "epochs", "evaluation", "training", "code", "machine", "weights SHA-256"]
    rows = [
        [
            *(method.name, each.fold or "", each.seed or "unknown"),
            str(each.training.epochs) if each.training else "unknown",
            *(each.name, each.training.name if each.training else "not in this store"),
            *(_code(each), _machine(each), each.weights),
        ]
        for method in methods
        for each in method.evaluations
    ]
    return Table(
        name="runs",
        title="Runs",
        note="The names are those in MLflow, which also holds the parameters, package versions and full configs.",
        header=header,
        rows=rows,
        records=[dict(zip(header, row, strict=True)) for row in rows],
    )


def _runs(method: Method) -> str:
    if any(each.seed is None for each in method.evaluations):
        return "training unknown"
    runs, folds = len(method.evaluations), len(method.folds)
    seeds = len({each.seed for each in method.evaluations})
    if method.folds == (None,):
        return _counted(runs, "seed")
    if runs != folds * seeds:
        return f"{_counted(folds, 'fold')}, {runs} runs"
    return _counted(folds, "fold") + (f" x {seeds} seeds" if seeds > 1 else "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _notes(measures: Sequence[Measure]) -> list[str]:
    keys = {measure.key for measure in measures}
    notes = {
        "head_circumference_absolute_difference_mm": "HC measures are over the frames in which a head could be "
        "measured. Bias: measured minus label.",
        "accuracy_mean": "Accuracy, average precision and box IoU are means over the regions without background.",
        "ms_per_frame": "ms per frame: median time from the preprocessed input to the network's output on the machine "
        "of the run (its parameters device and cpu_threads), without the first frames.",
    }
    return [note for key, note in notes.items() if key in keys]


def _machine(evaluation: Evaluation) -> str:
    device, threads = (evaluation.parameters.get(key) for key in ("device", "cpu_threads"))
    return ", ".join([device or "unknown", *([_counted(int(threads), "thread")] if threads else [])])


def _code(evaluation: Evaluation) -> str:
    """The git commit; outside a checkout, as in a pack, the bundle's version and the checksum of its code."""
    commit, version, checksum = (
        evaluation.parameters.get(key, "unknown") for key in ("git_commit", "bundle_version", "code_sha256")
    )
    return commit if commit != "unknown" else f"version {version}, SHA-256 {checksum[:12]}"


def _epochs(method: Method) -> str:
    epochs = sorted({each.training.epochs for each in method.evaluations if each.training is not None})
    return " to ".join(map(str, epochs[:1] + epochs[1:][-1:])) or "unknown"


def _input(method: Method) -> str:
    """Columns x rows, as in the names of the papers' methods."""
    rows_and_columns = method.parameters.get("spatial_size", "").strip("[]").split(", ")
    return "x".join(reversed(rows_and_columns))


def _numbers(method: Method, measures: Iterable[Measure]) -> Mapping[str, float]:
    numbers = {}
    for measure in measures:
        numbers[measure.key], numbers[f"{measure.key}_sd"] = mean_and_spread(method.values(measure.key))
    return {key: value for key, value in numbers.items() if not math.isnan(value)}


def _adjusted(p_values: Sequence[float]) -> Sequence[float]:
    known = [p for p in p_values if not math.isnan(p)]
    adjusted = iter(stats.false_discovery_control(known) if known else ())
    return [p if math.isnan(p) else float(next(adjusted)) for p in p_values]


def _p_value(p: float) -> str:
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _signed(measure: Measure, values: Sequence[float]) -> str:
    mean, spread = (value * measure.factor for value in mean_and_spread(values))
    if math.isnan(mean):
        return ""
    text = f"{mean:+.{measure.digits}f}"
    return text if math.isnan(spread) else f"{text} ± {spread:.{measure.digits}f}"
