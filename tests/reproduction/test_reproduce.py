"""A paper on phantoms, with the real commands: interrupted, resumed, and finished."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fetal_monai.comparison.papers import load_papers
from fetal_monai.data import prepare_hc18
from fetal_monai.phantom import write_phantoms
from fetal_monai.reproduction.__main__ import main
from fetal_monai.reproduction.errors import ReproductionError
from fetal_monai.reproduction.plan import Plan
from fetal_monai.reproduction.reproduce import Outcome, reproduce
from fetal_monai.reproduction.runs import Runs

pytestmark = pytest.mark.slow

BUNDLES = Path(__file__).parents[2] / "bundles"
TINY = {"base_channels": "2", "spatial_size": "[32,32]", "autocast_dtype": "$None", "epochs": "100000"}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, count=8, seed=2)
    prepare_hc18(folder, folder, fractions=(0.5, 0.25, 0.25))
    return folder


@pytest.fixture(scope="module")
def plan(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Both rows of the paper, in a copy of the bundle with a broken overlay for the first row."""
    folder = tmp_path_factory.mktemp("reproduction")
    shutil.copytree(BUNDLES / "dilated_unet", folder / "bundles" / "dilated_unet")
    (folder / "bundles" / "dilated_unet" / "configs" / "baseline_unet.json").write_text('{"dilation": [1, 1')
    (paper,) = (paper for paper in load_papers() if paper.key == "dilated_unet")
    return Plan(paper, phantoms, folder / "out", folder / "bundles", quick=True, overrides=TINY)


def arguments(plan: Plan, *more: str) -> list[str]:
    overrides = [f"{name}={value}" for name, value in plan.overrides.items()]
    return [
        *("dilated_unet", "--dataset_dir", str(plan.dataset_dir), "--output_dir", str(plan.output_dir)),
        *("--bundles_dir", str(plan.bundles_dir), "--override", *overrides, *more),
    ]


@pytest.fixture(scope="module")
def killed(plan: Plan) -> str:
    """Output of a command that was killed in the second row's training; all its processes have ended."""
    checkpoint = plan.jobs[1].output_dir("training") / "checkpoint.pt"
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    command = [sys.executable, "-m", "fetal_monai.reproduction", *arguments(plan, "--quick", "9")]
    log = plan.output_dir.parent / "killed.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, start_new_session=True)
        try:
            while not checkpoint.is_file() and process.poll() is None:
                time.sleep(0.05)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    printed = log.read_text()
    assert checkpoint.is_file(), printed
    return printed


@pytest.fixture(scope="module")
def finished(killed: str, in_this_process: None, plan: Plan) -> tuple[Outcome, int]:
    """The second row again; and the epoch that it had reached before."""
    checkpoint = torch.load(plan.jobs[1].output_dir("training") / "checkpoint.pt", weights_only=True)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        return reproduce(second(plan), minutes=0.05), checkpoint["progress"]["epoch"]


def second(plan: Plan) -> Plan:
    return replace(plan, rows=["u_net_dilated_convolutions"])


def test_a_row_that_fails_is_told_and_the_next_one_is_run(killed: str, plan: Plan) -> None:
    assert "== failed: U-Net, plain convolutions, seed 0: training. The end of" in killed
    assert "baseline_unet.json" in plan.jobs[0].log("training").read_text()
    assert "2 jobs, 0 of them already finished" in killed
    assert "== job 2 of 2, " in killed


def test_a_killed_training_goes_on_where_it_was(finished: tuple[Outcome, int], plan: Plan) -> None:
    outcome, reached = finished
    assert not outcome.failed
    (job,) = second(plan).jobs
    runs = Runs.in_folder(plan.output_dir / "mlruns")
    trained = runs.training(job)
    assert trained is not None
    history = runs.client.get_metric_history(trained.info.run_id, "train_loss")
    epochs = sorted(metric.step for metric in history)
    assert epochs == list(range(1, len(epochs) + 1)) or epochs == [
        *range(1, reached),
        *range(reached + 1, epochs[-1] + 1),
    ]
    assert epochs[-1] > reached
    # The time limit ended it, not its 100,000 epochs.
    assert epochs[-1] < 10_000
    (experiment,) = runs.client.search_experiments(filter_string="name = 'fetal_monai'")
    (run_of_training,) = runs.client.search_runs([experiment.experiment_id], "tags.stage = 'train'")
    assert run_of_training.info.run_id == trained.info.run_id


def test_it_ends_with_the_comparison_of_what_there_is(finished: tuple[Outcome, int], plan: Plan) -> None:
    page = finished[0].page
    assert page == plan.comparison_dir / "comparison.html"
    text = page.with_suffix(".md").read_text()
    assert "Small runs: 1 of 1 trainings had a time limit" in text
    table = text[text.index("### " if "### " in text else "## ") :]
    assert "| U-Net, plain convolutions | paper |" in table
    assert "| U-Net, dilated convolutions | ours, 1 seed |" in table
    assert "| U-Net, plain convolutions | ours" not in table


def test_what_is_finished_is_skipped(
    finished: tuple[Outcome, int], plan: Plan, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (job,) = second(plan).jobs
    weights = job.output_dir("training") / "model.pt"
    before = weights.stat().st_mtime_ns
    reproduce(second(plan), minutes=1)
    assert "1 jobs, 1 of them already finished" in capfd.readouterr().out
    assert weights.stat().st_mtime_ns == before


def test_runs_with_other_settings_are_not_taken_for_these(finished: tuple[Outcome, int], plan: Plan) -> None:
    with pytest.raises(ReproductionError, match=r"seed0 was run with other settings \(overrides: .*--output_dir"):
        reproduce(replace(second(plan), overrides={**TINY, "base_channels": "4"}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["gun"], "invalid choice: 'gun'"),
        (
            ["gan", "--dataset_dir", "nowhere"],
            "nowhere/datalist.json does not exist. Prepare the data set in a checkout of fetal_monai:",
        ),
        (["gan", "--dataset_dir", "nowhere", "--override", "seed"], "'seed' does not have the form NAME=VALUE"),
    ],
)
def test_what_is_missing_is_told(
    changed: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BUNDLES.parent)
    with pytest.raises(SystemExit, match="2"):
        main(changed)
    assert message in capsys.readouterr().err


def test_help_lists_papers_and_rows(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    for paper in load_papers():
        assert f"  {paper.key}: " in printed
    assert "    deeplab_v2_discriminator\n" in printed
