"""Trained weights: loading them, and writing them as a bundle ships them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from fetal_monai.files import atomic_path
from fetal_monai.files.checksum import file_sha256
from fetal_monai.files.run_record import move_aside
from fetal_monai.weights.settings import read_settings, settings_file, write_settings
from fetal_monai.weights.state_dict import read_state_dict

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)


def load_weights(network: Network, path: str | Path) -> Network:
    """Load a state dict of exactly this network, in any floating-point precision, and return the network.

    Args:
        network: Takes the weights, in its own precision.
        path: A file that `torch.save` wrote of a state dict. It is read with `weights_only=True`: no code in it runs.
            If `<path>.sha256` is beside it, as `sha256sum` writes it, the file must have that checksum; if
            `<path>.settings.txt` is, the network must be of the class that it names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The checksum differs, the file is not a state dict, or it is another network's.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There are no weights at {path}. Train first, or name a file with --weights.")
    settings = read_settings(path)
    if settings is not None and settings["network"] != (name := type(network).__name__):
        raise ValueError(
            f"{path} holds the weights of {settings['network']}, and this network is {name}. Add the overlay that they "
            "were trained with, or leave out the one that they were not."
        )
    checksum_file = _checksum_file(path)
    stated = checksum_file.read_text().split()[0] if checksum_file.is_file() else None
    state = read_state_dict(path, stated, stated_by=checksum_file.name)
    try:
        network.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} does not hold the weights of this {type(network).__name__}. Were they trained with another "
            f"overlay (network_def)? {error}"
        ) from error
    return network


def publish_weights(trained: str | Path, published: str | Path) -> None:
    """Write trained weights as a bundle ships them: in half precision, with `<published>.sha256` beside them.

    The settings of the training are written beside them too, if they are beside the trained ones.

    Biases and the statistics of normalisation layers keep their precision: they are small, and variances may exceed
    the range of half precision. Earlier weights there are moved into a numbered folder (`run_1`, `run_2`, ...).

    Args:
        trained: State dict of a network, as a training leaves it.
        published: The bundle's `models/model.pt`.
    """
    published = Path(published)
    state = read_state_dict(Path(trained))
    move_weights_aside(published)
    with atomic_path(published) as temporary:
        torch.save({name: value.half() if value.ndim > 1 else value for name, value in state.items()}, temporary)
    with atomic_path(_checksum_file(published)) as temporary:
        temporary.write_text(f"{file_sha256(published)}  {published.name}\n")
    if (settings := read_settings(Path(trained))) is not None:
        write_settings(published, settings)


def move_weights_aside(path: Path) -> None:
    """Move weights, their checksum and their settings into a numbered folder beside them: `run_1`, `run_2`, ..."""
    if moved := move_aside(path.parent, [path.name, _checksum_file(path).name, settings_file(path).name]):
        logger.info("%s: the earlier weights are now in %s", path, moved)


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
