"""Train and evaluate the rows of a paper's tables, and compare."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_monai.comparison.compare import compare
from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.data import fingerprint, load_classification_datalist, load_datalist
from fetal_monai.files import atomic_path
from fetal_monai.reproduction.budget import Budget
from fetal_monai.reproduction.errors import ReproductionError
from fetal_monai.reproduction.plan import EVALUATION, TRAINING, Job, Plan
from fetal_monai.reproduction.process import run_logged, tail
from fetal_monai.reproduction.runs import Runs


@dataclass(frozen=True)
class Outcome:
    """The outcome of a reproduction.

    Attributes:
        page: Page of the comparison; None if there is none.
        failed: The reason of each failure, or the log that contains it, by job.
    """

    page: Path | None
    failed: Mapping[str, str]


def reproduce(plan: Plan, store_uri: str | None = None, minutes: float | None = None) -> Outcome:
    """Run what is not finished yet, and compare what is finished.

    It may be killed at any time and called again: finished trainings and evaluations are skipped, and an interrupted
    training resumes after the last completed epoch. A job that fails does not stop the others.

    Args:
        plan: The jobs to run.
        store_uri: MLflow's tracking URI; None for a store in the output folder.
        minutes: Approximate time for all jobs together; None for no limit.

    Raises:
        ReproductionError: The data set does not fit this paper, or a folder has a run with other settings.
    """
    facts = {"data_fingerprint": _checked_data(plan)}
    runs = Runs(store_uri) if store_uri else Runs.in_folder(plan.output_dir / "mlruns")
    facts["store"] = runs.uri
    for job in plan.jobs:
        _check_settings(job, {**plan.settings(job), **facts})
    left = [job for job in plan.jobs if runs.evaluation(job) is None]
    print(
        f"{plan.paper.title}\n{len(plan.jobs)} jobs, {len(plan.jobs) - len(left)} of them already finished", flush=True
    )
    budget = None if minutes is None else Budget(60 * minutes)
    failed: dict[str, str] = {}
    for number, job in enumerate(left):
        _note_settings(job, {**plan.settings(job), **facts})
        time_left = "" if budget is None else f", {budget.left_s / 60:.1f} minutes left"
        heading = f"job {number + 1} of {len(left)}{time_left}: {job.name}"
        if (log := _run(plan, job, runs, heading, budget, jobs_left=len(left) - number)) is not None:
            failed[job.name] = f"see {log}"
    page = None
    if names := [run.info.run_name for job in plan.jobs if (run := runs.evaluation(job)) is not None]:
        try:
            page = compare(runs.uri, plan.comparison_dir, names=names, data_dir=plan.dataset_dir)
        except ComparisonError as error:
            failed["comparison"] = str(error)
    return Outcome(page, failed)


def _run(plan: Plan, job: Job, runs: Runs, heading: str, budget: Budget | None, jobs_left: int) -> Path | None:
    """Run the unfinished stages of a job; return the log of the one that failed, or None."""
    begin = time.monotonic()
    trained_before = runs.training(job) is not None
    resume = (job.output_dir(TRAINING) / "checkpoint.pt").is_file()
    if not trained_before:
        time_limit_s = None if budget is None else budget.time_limit_s(jobs_left)
        _execute(plan.training(job, resume, time_limit_s), job, TRAINING, heading, runs.uri)
    if (trained := runs.training(job)) is None:
        return _failed(job, TRAINING)
    _execute(plan.evaluation(job), job, EVALUATION, heading, runs.uri)
    if runs.evaluation(job) is None:
        return _failed(job, EVALUATION)
    if budget is not None and not trained_before and not resume:
        budget.note(time.monotonic() - begin, (trained.info.end_time - trained.info.start_time) / 1000)
    return None


def _execute(command: Sequence[str], job: Job, stage: str, heading: str, store_uri: str) -> None:
    print(f"\n== {heading}: {stage}\n{shlex.join(command)}", flush=True)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store_uri, "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    status = run_logged(command, job.log(stage), environment)
    if status != 0:
        print(f"\n== exit status {status}", flush=True)


def _failed(job: Job, stage: str) -> Path:
    log = job.log(stage)
    print(f"\n== failed: {job.name}: {stage}. The end of {log}:\n{tail(log)}", flush=True)
    return log


def _checked_data(plan: Plan) -> str:
    """Return the fingerprint of the data set; raise an error if it does not fit the paper."""
    try:
        if plan.paper.folds is None:
            load_datalist(plan.dataset_dir, "test")
        else:
            load_classification_datalist(plan.dataset_dir, "test", max(plan.folds or range(plan.paper.folds)))
        return fingerprint(plan.dataset_dir)
    except (OSError, ValueError) as error:
        raise ReproductionError(str(error)) from error


def _check_settings(job: Job, wanted: Mapping[str, Any]) -> None:
    file = job.folder / "settings.json"
    if not file.is_file():
        return
    found = json.loads(file.read_text(encoding="utf-8"))
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        differences = "; ".join(f"{key}: {found.get(key)} there, {wanted[key]} now" for key in differing)
        raise ReproductionError(
            f"{job.folder} was run with other settings ({differences}). Choose another --output_dir, or delete that "
            "folder to run it again."
        )


def _note_settings(job: Job, settings: Mapping[str, Any]) -> None:
    with atomic_path(job.folder / "settings.json") as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
