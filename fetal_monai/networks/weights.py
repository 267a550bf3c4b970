"""Loading trained weights."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def load_weights(network: Network, path: str | Path, sha256: str | None = None) -> Network:
    """Load a state dict of exactly this network, in any floating-point precision, and return the network.

    Args:
        network: takes the weights, in its own precision.
        path: a file that `torch.save` wrote of a state dict. It is read with `weights_only=True`: no code in it runs.
        sha256: hexadecimal checksum that the file must have; None does not check.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the checksum differs, the file is no state dict, or it is another network's.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There are no weights at {path}. Train first, or name a file with --weights.")
    if sha256 is not None and (found := hashlib.sha256(path.read_bytes()).hexdigest()) != sha256:
        raise ValueError(f"{path} has the SHA-256 {found}, expected {sha256}: damaged, or another version. Get it anew.")
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
