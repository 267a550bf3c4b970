"""Evaluation and inference with the settings of the training."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import ignite.distributed as idist

from fetal_monai.weights.settings import read_settings, settings_file
from fetal_monai.workflow.demonstration import OVERLAY
from fetal_monai.workflow.metadata import load_metadata
from fetal_monai.workflow.running import running_parser

_EVALUATED = re.compile("[$@%{]")  # expressions, references, macros and components


def use_trained_settings(bundle_root: str | Path, stage: str, weights: str | Path) -> None:
    """Give the running config the options that the weights were trained with, such as the network's input size.

    It is called in a config's `initialize`, after `demonstrate`. Options are those that the bundle's `train.json` saves
    with the weights (`best_network`). One that the caller overrides must be that of the training.

    Args:
        bundle_root: The bundle's folder.
        stage: Name of the config that runs, without suffix: "evaluate" or "inference".
        weights: The file of the weights; without a file of settings beside it nothing is changed or checked.

    Raises:
        ValueError: An override differs from the training, or the weights are another bundle's.
    """
    parser = running_parser()
    settings = read_settings(Path(weights))
    if parser is None or settings is None:
        return
    if settings["bundle"] != (name := load_metadata(bundle_root)["bundle"]):
        raise ValueError(
            f"{weights} was trained by the bundle {settings['bundle']}, and this is {name}, which prepares frames in "
            "another way. Run that bundle, or name other weights with --weights."
        )
    configs = Path(bundle_root) / "configs"
    saved = _read(configs / "train.json")["best_network"]["settings"]["options"]
    defaults = [_read(configs / f"{stage}.json")]
    if parser.get("demonstration"):
        defaults.append(_read(configs / OVERLAY))
    differing = {}
    for option, trained in settings["options"].items():
        if option not in saved or _EVALUATED.search(json.dumps(trained)):
            raise ValueError(
                f"{settings_file(Path(weights))} has {option} = {trained!r}, which is no option of {name}."
            )
        given = parser.get(option)
        if given == trained:
            continue
        if not any(option in config and config[option] == given for config in defaults):
            raise ValueError(
                f"{weights} was trained with {option} {trained}, and this run has {given}. Leave out --{option} or the "
                "overlay that sets it, or name other weights with --weights."
            )
        differing[option] = trained
    if differing:
        parser.update(differing)
        # As in `demonstrate`: the expression that calls this function is being resolved.
        parser.parse(reset=True)
        if idist.get_rank() == 0:
            used = ", ".join(f"{option} {value}" for option, value in differing.items())
            print(f"As {weights} was trained: {used}")


def _read(config: Path) -> dict[str, Any]:
    return json.loads(config.read_text())
