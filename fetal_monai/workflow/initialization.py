"""What every run of a bundle does first."""

from __future__ import annotations

import os
from pathlib import Path

import ignite.distributed as idist

from fetal_monai.workflow.brief_errors import report_errors_briefly
from fetal_monai.workflow.demonstration import demonstrate
from fetal_monai.workflow.log_noise import leave_out_noise
from fetal_monai.workflow.monai_tracking import leave_tracking_to_monai


def initialize(bundle_root: str | Path, stage: str) -> None:
    """Prepare the running config, before anything is instantiated. A config calls it in its `initialize`.

    - Errors on the command line become one line, see `report_errors_briefly`.
    - Log lines that say nothing are left out, see `leave_out_noise`.
    - Several processes are refused where each would do the whole work, into the same files.
    - `--tracking mlflow` replaces our tracker, see `leave_tracking_to_monai`.
    - Without a data set, the demonstration is merged into the config, see `demonstrate`.

    Args:
        bundle_root: The bundle's folder.
        stage: Name of the config that runs, without suffix: "train", "evaluate" or "inference".

    Raises:
        RuntimeError: There are several processes.
    """
    report_errors_briefly()
    leave_out_noise()
    _refuse_several_processes(stage)
    leave_tracking_to_monai()
    demonstrate(bundle_root, stage)


def _refuse_several_processes(stage: str) -> None:
    """Refuse processes that do not share their work. torchrun names their number; only our overlay joins them."""
    processes = int(os.environ.get("WORLD_SIZE", 1))
    if processes > 1 and stage != "train":
        raise RuntimeError(
            f"This was started {processes} times (WORLD_SIZE={processes}), and each process would write all results "
            "into the same files. Run evaluation and inference without torchrun."
        )
    if processes > 1 and idist.get_world_size() == 1:
        raise RuntimeError(
            f"This was started {processes} times (WORLD_SIZE={processes}), and each process would train a network of "
            "its own into the same files. Add configs/multi_gpu_train.json to --config_file, or train without torchrun."
        )
