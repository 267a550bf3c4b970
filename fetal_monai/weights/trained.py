"""Trained weights: loading them, and writing them as a bundle ships them."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from fetal_monai.data.atomic import atomic_path

Network = TypeVar("Network", bound=nn.Module)


def load_weights(network: Network, path: str | Path) -> Network:
    """Load a state dict of exactly this network, in any floating-point precision, and return the network.

    Args:
        network: takes the weights, in its own precision.
        path: a file that `torch.save` wrote of a state dict. It is read with `weights_only=True`: no code in it runs.
            If `<path>.sha256` lies beside it, as `sha256sum` writes it, the file must have that checksum.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the checksum differs, the file is no state dict, or it is another network's.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There are no weights at {path}. Train first, or name a file with --weights.")
    checksum_file = _checksum_file(path)
    if checksum_file.is_file():
        stated, found = checksum_file.read_text().split()[0], _sha256(path)
        if found != stated:
            raise ValueError(
                f"{path} has the SHA-256 {found}, {checksum_file.name} states {stated}: it is damaged or another "
                "version. Get both files anew."
            )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a whole file of PyTorch weights: {error}") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, expected a state dict (name -> tensor).")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not hold the weights of this {type(network).__name__}. Were they trained with another "
            f"overlay (network_def)? {error}"
        ) from error
    return network


def publish_weights(trained: str | Path, published: str | Path) -> None:
    """Write trained weights as a bundle ships them: in half precision, with `<published>.sha256` beside them.

    Biases and the statistics of normalisation layers keep their precision: they are small, and variances may exceed
    the range of half precision.

    Args:
        trained: state dict of a network, as a training leaves it.
        published: the bundle's `models/model.pt`.
    """
    published = Path(published)
    state = torch.load(trained, map_location="cpu", weights_only=True)
    with atomic_path(published) as temporary:
        torch.save({name: value.half() if value.ndim > 1 else value for name, value in state.items()}, temporary)
    with atomic_path(_checksum_file(published)) as temporary:
        temporary.write_text(f"{_sha256(published)}  {published.name}\n")


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
