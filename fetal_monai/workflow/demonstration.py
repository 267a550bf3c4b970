"""What a bundle runs on when no data set is given: its demonstration."""

from __future__ import annotations

import json
from pathlib import Path

import ignite.distributed as idist
from monai.bundle import ConfigParser

from fetal_monai.workflow.running import running_parser

OVERLAY = "demonstration.json"


def demonstrate(bundle_root: str | Path, stage: str) -> None:
    """Merge `configs/demonstration.json` into the running config if it names no data set.

    It stands in a config's `initialize`, so that the config itself states the method and nothing of the demonstration.
    Values that the caller overrides are kept, unless they are the config's own. A bundle that is shared has no
    demonstration: then nothing changes, and `check_dataset` reports that there is no data set.

    Args:
        bundle_root: the bundle's folder.
        stage: name of the config that runs, without suffix: "train", "evaluate" or "inference".
    """
    parser, configs = running_parser(), Path(bundle_root) / "configs"
    if parser is None or parser.get("dataset_dir") is not None or not (configs / OVERLAY).is_file():
        return
    overlay = json.loads((configs / OVERLAY).read_text())
    own = ConfigParser(json.loads((configs / f"{stage}.json").read_text()))
    own.resolve_macro_and_relative_ids()  # as the running config's are already
    parser.update({key: value for key, value in overlay.items() if parser.get(key) == own.get(key)})
    # The expression that calls this is being resolved: its resolver must hold the new items when it goes on.
    parser.parse(reset=True)
    if idist.get_rank() == 0:
        print(f"No data set given: this is the DEMONSTRATION ({configs / OVERLAY}). {overlay['about']}")


def check_dataset(dataset_dir: object) -> None:
    """Check that a data set is given.

    Args:
        dataset_dir: the config's `dataset_dir`.

    Raises:
        ValueError: it is None.
    """
    if dataset_dir is None:
        raise ValueError(
            "No data set given. Name it with --dataset_dir: the folder of a prepared data set for training and "
            "evaluation, a frame or a folder of frames for inference. The bundle's docs/README.md says how to prepare "
            "one. (The demonstration on simulated frames is in the project's repository only.)"
        )
