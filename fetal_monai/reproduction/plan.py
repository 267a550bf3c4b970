"""The trainings and evaluations that make up a paper's tables, and their commands."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from fetal_monai.comparison.papers import Paper, PaperRow, RowRun
from fetal_monai.reproduction.errors import ReproductionError

TRAINING, EVALUATION = "training", "evaluation"


@dataclass(frozen=True)
class Job:
    """One training and its evaluation.

    Attributes:
        row: Row of the paper's table.
        run: How the row is run.
        seed: Seed of the training.
        fold: Test fold; None if there is a single split.
        folder: Folder of `training/`, `evaluation/`, their logs and `settings.json`.
    """

    row: PaperRow
    run: RowRun
    seed: int
    fold: int | None
    folder: Path

    @property
    def name(self) -> str:
        """Name in messages."""
        return f"{self.row.method}, seed {self.seed}" + ("" if self.fold is None else f", fold {self.fold}")

    def output_dir(self, stage: str) -> Path:
        """Return the output folder of its training or its evaluation."""
        return self.folder / stage

    def log(self, stage: str) -> Path:
        """Return the log file of its training or its evaluation."""
        return self.folder / f"{stage}.log"


@dataclass(frozen=True)
class Plan:
    """The jobs of a paper.

    Attributes:
        paper: Paper whose tables are reproduced.
        dataset_dir: Prepared data set.
        output_dir: Folder of the results; a job's folder is `<paper>/<row>/seed<n>[/fold<n>]` in it.
        bundles_dir: Folder of the bundles.
        rows: Keys of the rows; empty for all.
        seeds: Seeds of the trainings.
        folds: Folds to run; empty for all of the paper, or for a paper without folds.
        quick: Whether to use the rows' overrides of a small run.
        overrides: Further overrides, as texts by name; each is passed to every config that has its name.
        processes: Number of processes per training, one per GPU.

    Raises:
        ReproductionError: There is no such row, fold, bundle or override.
    """

    paper: Paper
    dataset_dir: Path
    output_dir: Path
    bundles_dir: Path = Path("bundles")
    rows: Sequence[str] = ()
    seeds: Sequence[int] = (0,)
    folds: Sequence[int] = ()
    quick: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1

    def __post_init__(self) -> None:
        known = [row.key for row in self.paper.rows if row.run is not None]
        for key in self.rows:
            if key not in known:
                raise ReproductionError(
                    f"The paper '{self.paper.key}' has no row '{key}' to run. Its rows: {', '.join(known)}."
                )
        for fold in self.folds:
            if fold not in range(self.paper.folds or 0):
                folds = f"has the folds 0 to {self.paper.folds - 1}" if self.paper.folds else "has no folds"
                raise ReproductionError(f"There is no fold {fold}: the paper '{self.paper.key}' {folds}.")
        names = {name for configs in self._names.values() for name in configs}
        for name in self.overrides:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"Did you mean '{near[0]}'?" if near else "The bundles' READMEs list the overrides."
                raise ReproductionError(f"No config of the rows chosen has an override '{name}'. {hint}")

    @cached_property
    def chosen(self) -> list[tuple[PaperRow, RowRun]]:
        """The rows to run and how they are run, in the order of the table."""
        return [
            (row, row.run) for row in self.paper.rows if row.run is not None and (not self.rows or row.key in self.rows)
        ]

    @cached_property
    def jobs(self) -> list[Job]:
        """All jobs; every row of a seed comes before the next seed."""
        folds = [None] if self.paper.folds is None else list(self.folds or range(self.paper.folds))
        return [
            Job(row, run, seed, fold, self._folder(row, seed, fold))
            for seed in self.seeds
            for fold in folds
            for row, run in self.chosen
        ]

    @property
    def comparison_dir(self) -> Path:
        """Folder of the comparison."""
        return self.output_dir / self.paper.key / "comparison"

    def settings(self, job: Job) -> dict[str, Any]:
        """Return the settings that determine the result of a job's training."""
        return {
            "bundle": job.run.bundle,
            "overlays": [*job.run.overlays, *job.run.training_overlays],
            "overrides": self._overrides(job.run),
            "processes": self.processes,
        }

    def training(self, job: Job, resume: bool = False, time_limit_s: float | None = None) -> list[str]:
        """Return the command of a job's training, as documented in the bundles' READMEs."""
        overlays = [*job.run.overlays, *job.run.training_overlays]
        launch = ["-m", "monai.bundle"]
        if self.processes > 1:
            overlays.append("multi_gpu_train.json")
            launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={self.processes}", *launch]
        further = {"seed": job.seed}
        if time_limit_s is not None:
            further["time_limit_s"] = round(time_limit_s)
        return [
            *(sys.executable, *launch, "run", "training"),
            *self._configs(job.run, "train.json", overlays),
            *self._arguments(job, TRAINING, "train.json", further),
            *(["--resume", "True"] if resume else []),
        ]

    def evaluation(self, job: Job) -> list[str]:
        """Return the command of a job's evaluation."""
        return [
            *(sys.executable, "-m", "monai.bundle", "run", "evaluating"),
            *self._configs(job.run, "evaluate.json", job.run.overlays),
            *self._arguments(
                job, EVALUATION, "evaluate.json", {"weights": job.output_dir(TRAINING).resolve() / "model.pt"}
            ),
        ]

    @cached_property
    def _names(self) -> dict[tuple[str, str], set[str]]:
        """The overrides that each config accepts, by bundle and file."""
        names = {}
        for _, run in self.chosen:
            for config in ("train.json", "evaluate.json"):
                path = self.bundles_dir / run.bundle / "configs" / config
                if not path.is_file():
                    raise ReproductionError(
                        f"{path} does not exist. Run the command from the repository's root, or give the folder of the "
                        "bundles with --bundles_dir."
                    )
                names[run.bundle, config] = set(ConfigParser.load_config_file(path))
        return names

    def _folder(self, row: PaperRow, seed: int, fold: int | None) -> Path:
        folder = self.output_dir / self.paper.key / row.key / f"seed{seed}"
        return folder if fold is None else folder / f"fold{fold}"

    def _overrides(self, run: RowRun) -> dict[str, str]:
        quick = {name: _text(value) for name, value in run.quick.items()} if self.quick else {}
        return {**quick, **self.overrides}

    def _configs(self, run: RowRun, config: str, overlays: Sequence[str]) -> list[str]:
        folder = self.bundles_dir / run.bundle / "configs"
        paths = [(folder / name).as_posix() for name in (config, *overlays)]
        return ["--config_file", paths[0] if len(paths) == 1 else str(paths)]

    def _arguments(self, job: Job, stage: str, config: str, further: Mapping[str, object]) -> list[str]:
        bundle = job.run.bundle
        taken = self._names[bundle, config]
        overrides = {
            "bundle_root": self.bundles_dir / bundle,
            "dataset_dir": self.dataset_dir.resolve(),
            "output_dir": job.output_dir(stage).resolve(),
            **({} if job.fold is None else {"fold": job.fold}),
            **further,
            **{name: value for name, value in self._overrides(job.run).items() if name in taken},
        }
        return [part for name, value in overrides.items() for part in (f"--{name}", str(value))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
