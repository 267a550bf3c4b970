"""The demonstration, which a bundle runs when no data set is given."""

from __future__ import annotations

import json
from pathlib import Path

import ignite.distributed as idist
from monai.bundle import ConfigParser

from fetal_monai.workflow.configs import stage_config
from fetal_monai.workflow.running import running_parser

OVERLAY = "demonstration.json"


def demonstrate(bundle_root: str | Path, stage: str) -> None:
    """Merge `configs/demonstration.json` into the running config if no data set is given.

    `initialize` calls it, so that the config itself describes only the method. Values that the caller
    overrides are kept if they differ from the config's own. A packed bundle has no demonstration: then nothing changes,
    and `check_dataset` reports that there is no data set.

    Args:
        bundle_root: The bundle's folder.
        stage: Name of the config that runs, without suffix: "train", "evaluate" or "inference".
    """
    parser, file = running_parser(), Path(bundle_root) / "configs" / OVERLAY
    config = stage_config(bundle_root, stage)
    if parser is None or parser.get("dataset_dir") is not None or not file.is_file() or config is None:
        return
    overlay = json.loads(file.read_text())
    own = ConfigParser(config[1])
    own.resolve_macro_and_relative_ids()  # those of the running config are already resolved
    parser.update({key: value for key, value in overlay.items() if parser.get(key) == own.get(key)})
    # The expression that calls this function is being resolved: its resolver needs the new items when it continues.
    parser.parse(reset=True)
    if idist.get_rank() == 0:
        print(f"No data set given: this is the DEMONSTRATION ({file}). {overlay['about']}")


def check_dataset(dataset_dir: object) -> None:
    """Check that a data set is given.

    Args:
        dataset_dir: The config's `dataset_dir`.

    Raises:
        ValueError: It is None.
    """
    if dataset_dir is None:
        raise ValueError(
            "No data set given. Set --dataset_dir: the folder of a prepared data set for training and evaluation, a "
            "frame or a folder of frames for inference. The bundle's docs/README.md says how to prepare "
            "one. (The demonstration on simulated frames is in the project's repository only.)"
        )
