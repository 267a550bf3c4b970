from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from fetal_monai.comparison.papers import Paper, PaperRow, load_papers
from fetal_monai.reproduction.errors import ReproductionError
from fetal_monai.reproduction.plan import Job, Plan

BUNDLES = Path(__file__).parents[2] / "bundles"
PAPERS = {paper.key: paper for paper in load_papers()}
ROWS = [(paper, row) for paper in PAPERS.values() for row in paper.rows]


def plan_of(key: str, **options: Any) -> Plan:
    return Plan(PAPERS[key], Path("data"), Path("out"), BUNDLES, **options)


def overrides(command: list[str]) -> dict[str, str]:
    """The overrides of a command, without its config files."""
    start = command.index("--config_file") + 2
    return {
        name.removeprefix("--"): value for name, value in zip(command[start::2], command[start + 1 :: 2], strict=True)
    }


def config_of(command: list[str]) -> dict[str, Any]:
    """The config merged from a command's files and overrides."""
    files = command[command.index("--config_file") + 1]
    parser = ConfigParser(ConfigParser.load_config_files(files if files.startswith("/") else eval(files)))
    for name, value in overrides(command).items():
        assert name in parser.config, f"MONAI would take --{name} in silence"
        parser[name] = value
    return parser.config


def jobs_of(plan: Plan, row: PaperRow) -> list[Job]:
    return [job for job in plan.jobs if job.row is row]


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(("paper", "row"), ROWS, ids=[row.key for _, row in ROWS])
def test_commands_name_files_and_overrides_that_exist(paper: Paper, row: PaperRow, quick: bool) -> None:
    plan = plan_of(paper.key, quick=quick)
    job = jobs_of(plan, row)[0]
    training = config_of(plan.training(job, resume=True, time_limit_s=20.0))
    evaluation = config_of(plan.evaluation(job))
    assert (training["resume"], training["time_limit_s"]) == ("True", "20")
    assert evaluation["weights"] == str(
        Path("out").resolve() / job.output_dir("training").relative_to("out") / "model.pt"
    )
    for key in ("network_def", "spatial_size"):
        assert training[key] == evaluation[key], key
    if not quick:
        assert set(overrides(plan.training(job))) <= {"bundle_root", "dataset_dir", "output_dir", "seed", "fold"}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(("paper", "row"), ROWS, ids=[row.key for _, row in ROWS])
def test_the_runs_of_a_row_are_recognised_as_that_row(paper: Paper, row: PaperRow, quick: bool) -> None:
    plan = plan_of(paper.key, quick=quick)
    config = config_of(plan.training(jobs_of(plan, row)[0]))
    logged = {"bundle": Path(config["bundle_root"]).name, "network": config["network_def"]["_target_"].split(".")[-1]}
    tracked = config["run_parameters"]
    for key in row.ours.keys() - logged.keys():
        if key == "discriminator":
            none = tracked[key] == "none"
            logged[key] = "none" if none else config["discriminator_def"]["_target_"].split(".")[-1]
        else:
            assert tracked[key] == f"@{key}"
            logged[key] = str(config[key])
    assert row.describes(logged)


def test_seeds_folds_and_rows_are_combined() -> None:
    assert len(plan_of("gan", seeds=(0, 1, 2)).jobs) == 15
    assert len(plan_of("soft_proposal", seeds=(0, 1)).jobs) == 2 * 5 * 4
    plan = plan_of("soft_proposal", seeds=(3,), folds=(2,), rows=["soft_proposal_vgg_13_bn"])
    (job,) = plan.jobs
    assert job.folder == Path("out/soft_proposal/soft_proposal_vgg_13_bn/seed3/fold2")
    for command in (plan.training(job), plan.evaluation(job)):
        assert overrides(command)["fold"] == "2"
        assert "vgg13.json" in command[command.index("--config_file") + 1]
    assert overrides(plan.training(job))["seed"] == "3"
    folders = [job.folder for key in PAPERS for job in plan_of(key, seeds=(0, 1)).jobs]
    assert len(set(folders)) == len(folders)


def test_an_override_goes_to_the_configs_that_have_it_and_wins() -> None:
    plan = plan_of("dilated_unet", quick=True, overrides={"spatial_size": "[64,64]", "num_workers": "3"})
    training, evaluation = (overrides(command(plan.jobs[0])) for command in (plan.training, plan.evaluation))
    assert training["spatial_size"] == evaluation["spatial_size"] == "[64,64]"
    assert training["num_workers"] == "3"
    assert not evaluation.keys() & {"num_workers", "epochs", "batch_size"}


def test_several_processes_are_torchruns() -> None:
    plan = plan_of("gan", processes=2)
    command = plan.training(plan.jobs[0])
    assert command[1:6] == ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    config = config_of(command)
    assert config["network"]["_target_"] == "torch.nn.parallel.DistributedDataParallel"
    assert config["train"]["trainer"]["_target_"] == "SupervisedTrainer"
    assert "torch.distributed.run" not in plan.evaluation(plan.jobs[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": ["deeplab"]}, "no row 'deeplab' to run. Its rows: deeplab_v2, deeplab_v2_discriminator,"),
        ({"folds": [1]}, "no fold 1: the paper 'gan' has no folds"),
        ({"overrides": {"learning_rat": "1"}}, "no.* override 'learning_rat'. Did you mean 'learning_rate'?"),
    ],
)
def test_what_is_not_there_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ReproductionError, match=f"(?i){message}"):
        plan_of("gan", **options)


def test_every_row_is_run_but_one_that_does_not_say_how() -> None:
    assert all(row.run for _, row in ROWS)
    paper = PAPERS["dilated_unet"]
    first, second = paper.rows
    plan = Plan(replace(paper, rows=(replace(first, run=None), second)), Path("data"), Path("out"), BUNDLES)
    assert [job.row for job in plan.jobs] == [second]


def test_bundles_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReproductionError, match=r"gan_deeplab/configs/train.json does not exist.*--bundles_dir"):
        Plan(PAPERS["gan"], Path("data"), Path("out"), tmp_path)
    with pytest.raises(ReproductionError, match="no fold 5: the paper 'soft_proposal' has the folds 0 to 4"):
        plan_of("soft_proposal", folds=[5])
