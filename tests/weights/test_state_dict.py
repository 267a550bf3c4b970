import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fetal_monai.weights.state_dict import read_state_dict


def same(one: Any, other: Any) -> bool:
    """Whether two states are the same to the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return (
            one.dtype == other.dtype and one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network and its optimiser, as a training saves them."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.rand(2, 3)).sum().backward()
    optimizer.step()
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.pt"
    torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, path)
    return path


def test_a_flipped_byte_is_refused_or_changes_no_value(checkpoint: Path, tmp_path: Path) -> None:
    content = checkpoint.read_bytes()
    state = read_state_dict(checkpoint)
    with zipfile.ZipFile(checkpoint) as archive:
        first_entry = range(archive.start_dir, archive.start_dir + 64)
    rng = random.Random(1)
    flips = [(position, 1 << bit) for position in first_entry for bit in (0, 4)]  # one marks the record as a folder
    flips += [(rng.randrange(len(content)), rng.randrange(1, 256)) for _ in range(300)]
    damaged = tmp_path / "damaged.pt"
    refused = 0
    for position, flip in flips:
        changed = bytearray(content)
        changed[position] ^= flip
        damaged.write_bytes(changed)
        try:
            found = read_state_dict(damaged)
        except ValueError as error:
            assert "damaged.pt is not a whole file of PyTorch weights" in str(error)
            refused += 1
        else:
            assert same(found, state), f"byte {position} changed by {flip}"
    assert refused > len(flips) / 3


def test_a_file_that_is_cut_off_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    content = checkpoint.read_bytes()
    for length in range(0, len(content), 97):
        (tmp_path / "cut.pt").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"cut\.pt is not a whole file of PyTorch weights"):
            read_state_dict(tmp_path / "cut.pt")
