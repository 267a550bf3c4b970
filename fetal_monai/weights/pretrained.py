"""Pre-trained weights from a local file, as far as they fit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fetal_monai.weights.state_dict import read_state_dict

logger = logging.getLogger(__name__)

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What became of a file of pre-trained weights.

    Attributes:
        path: The file; None if none was named.
        loaded: Names of the parameters and statistics that were taken over.
        skipped: Names in the file that the network has not, or has in another shape: a classifier, say.
        missing: Names of the network that the file lacks; they keep their initial values.
    """

    path: Path | None
    loaded: list[str]
    skipped: list[str]
    missing: list[str]

    def __str__(self) -> str:
        if self.path is None:
            return "no pre-trained weights named: training starts from random weights"
        parts = [f"{len(self.loaded)} loaded"]
        for what, names in (("skipped", self.skipped), ("missing", self.missing)):
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            parts.append(f"{len(names)} {what}" + (f" ({shown})" if names else ""))
        return f"pre-trained weights {self.path}: {'; '.join(parts)}"


def load_pretrained(backbone: nn.Module, path: str | Path | None, sha256: str | None = None) -> Pretrained:
    """Take over what a state dict has in common with a backbone, by name and shape, and report the result.

    Args:
        backbone: A network with torchvision's parameter names.
        path: A local state dict: torchvision's ImageNet classifiers ("conv1.weight", ...), or its COCO segmentation
            networks, which hold the same names behind "backbone.". None: nothing is loaded.
        sha256: Hexadecimal checksum that the file must have; None does not check.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The checksum differs, the file is not a state dict, or nothing in it fits the backbone.
    """
    own = backbone.state_dict()
    # The batch counters of normalisation layers fit anything: they do not make a file the backbone's.
    wanted = {name for name, value in own.items() if value.is_floating_point()}
    if path is None:
        return Pretrained(None, [], [], sorted(wanted))
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There are no pre-trained weights at {path}. Leave --pretrained out to start from random weights."
        )
    state = read_state_dict(path, sha256, stated_by="--pretrained_sha256")
    named = {str(name).removeprefix("backbone."): value for name, value in state.items()}
    fitting = {
        name: value
        for name, value in named.items()
        if name in wanted and isinstance(value, torch.Tensor) and value.shape == own[name].shape
    }
    if not fitting:
        raise ValueError(
            f"Nothing in {path} fits {type(backbone).__name__}: it holds {', '.join(list(named)[:_SHOWN])}, ...; "
            f"expected torchvision's names and shapes, such as {', '.join(list(own)[:_SHOWN])}."
        )
    backbone.load_state_dict(fitting, strict=False)
    result = Pretrained(
        path,
        loaded=list(fitting),
        skipped=[name for name in named if name not in own or (name in wanted and name not in fitting)],
        missing=[name for name in own if name in wanted and name not in fitting],
    )
    if result.missing:
        logger.warning("The file covers only a part of the backbone: is it of the same depth? %s", result)
    return result
