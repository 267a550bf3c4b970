"""`fetal-monai train` and `fetal-monai evaluate`: the bundles' own commands, written shorter."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from fetal_monai.cli.usage_error import UsageError

_RUN_IDS = {"train": "training", "evaluate": "evaluating"}

_DESCRIPTION = """\
{stage} a bundle. This is `python -m monai.bundle run {run_id}` with the bundle's configs: the
command is printed before it runs. Options that are not listed here are overrides of the
config; the bundle's docs/README.md describes them."""

_EPILOGS = {
    "train": """\
examples:
  the bundle's demonstration, on simulated frames:
    fetal-monai train bundles/bisenet
  a data set, prepared as docs/data.md describes:
    fetal-monai train bundles/bisenet --dataset_dir data/hc18
  a variant of the method, with another batch size:
    fetal-monai train bundles/bisenet --overlay size_256x160.json --dataset_dir data/hc18 --batch_size 4
  two GPUs:
    fetal-monai train bundles/bisenet --nproc-per-node 2 --overlay multi_gpu_train.json --dataset_dir data/hc18""",
    "evaluate": """\
examples:
  weights that were trained before:
    fetal-monai evaluate bundles/bisenet --dataset_dir data/hc18 --weights bundles/bisenet/output/train/model.pt""",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to the parser."""
    for stage, run_id in _RUN_IDS.items():
        parser = commands.add_parser(
            stage,
            help=f"{stage} a bundle by its own command, which is printed",
            description=_DESCRIPTION.format(stage=stage.capitalize(), run_id=run_id),
            epilog=_EPILOGS[stage],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            usage=f"fetal-monai {stage} [-h] BUNDLE [--overlay FILE ...] [--nproc-per-node N] [--NAME VALUE ...]",
        )
        parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the bundle's folder, or its name in bundles/")
        parser.add_argument(
            "--overlay",
            action="append",
            default=[],
            metavar="FILE",
            help="a config in the bundle's configs/ that is merged over the main one; may be repeated",
        )
        parser.add_argument(
            "--nproc-per-node", type=int, metavar="N", help="run N processes with torchrun (default: one process)"
        )
        parser.set_defaults(run=run_bundle, overrides=[])


def run_bundle(options: argparse.Namespace) -> int:
    """Print the bundle's command and run it.

    Returns:
        Its exit code.

    Raises:
        UsageError: The bundle or the overlay does not exist.
    """
    command = bundle_command(
        options.command, _folder(options.bundle), options.overlay, options.overrides, options.nproc_per_node
    )
    print("$", shlex.join(["python", *command[1:]]), flush=True)
    return subprocess.run(command).returncode


def bundle_command(
    stage: str, bundle: Path, overlays: list[str], overrides: list[str], processes: int | None
) -> list[str]:
    """Return the command that `monai.bundle` understands.

    Args:
        stage: "train" or "evaluate".
        bundle: Folder of the bundle.
        overlays: Names of further configs in its `configs/`.
        overrides: Options for `monai.bundle run`, as they are.
        processes: Number of processes; None runs the command without torchrun.

    Raises:
        UsageError: An overlay does not exist.
    """
    configs = [bundle / "configs" / name for name in (f"{stage}.json", *overlays)]
    for config in configs:
        if not config.is_file():
            known = ", ".join(sorted(path.name for path in (bundle / "configs").glob("*.json")))
            raise UsageError(f"{config} does not exist; {bundle / 'configs'} has {known}.")
    launcher = ["-m", "torch.distributed.run", f"--nproc_per_node={processes}"] if processes else []
    return [
        *(sys.executable, *launcher, "-m", "monai.bundle", "run", _RUN_IDS[stage]),
        *("--config_file", str(list(map(str, configs))) if overlays else str(configs[0])),
        *("--bundle_root", str(bundle)),
        *overrides,
    ]


def _folder(bundle: Path) -> Path:
    for folder in (bundle, Path("bundles") / bundle):
        if (folder / "configs" / "metadata.json").is_file():
            return folder
    raise UsageError(
        f"{bundle} is not the folder of a bundle, and bundles/ has none of that name. "
        f"`fetal-monai bundle NAME` copies a bundle to the working directory."
    )
