import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from fetal_monai.networks import load_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    torch.save(nn.Conv2d(2, 3, 3).half().state_dict(), tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_half_precision_weights_load_into_the_networks_own_precision(weights: Path) -> None:
    network = load_weights(nn.Conv2d(2, 3, 3), weights)
    stored = torch.load(weights, weights_only=True)
    assert network.weight.dtype == torch.float32
    assert torch.equal(network.weight, stored["weight"].float())


def test_the_checksum_is_checked(weights: Path) -> None:
    right = hashlib.sha256(weights.read_bytes()).hexdigest()
    load_weights(nn.Conv2d(2, 3, 3), weights, sha256=right)
    with pytest.raises(ValueError, match=f"{right}, expected 0000"):
        load_weights(nn.Conv2d(2, 3, 3), weights, sha256="0000")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.pt.*--weights"):
        load_weights(nn.Conv2d(2, 3, 3), tmp_path / "nothing.pt")


def test_truncated_file(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"model\.pt is not a whole file of PyTorch weights"):
        load_weights(nn.Conv2d(2, 3, 3), weights)


def test_text_file(weights: Path) -> None:
    weights.write_text("not weights at all")
    with pytest.raises(ValueError, match=r"model\.pt is not a whole file of PyTorch weights"):
        load_weights(nn.Conv2d(2, 3, 3), weights)


def test_weights_of_another_network(weights: Path) -> None:
    with pytest.raises(ValueError, match=r"does not hold the weights of this Linear.*\n?.*weight"):
        load_weights(nn.Linear(2, 3), weights)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.pt", tmp_path / "trace"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (trace,)  # type: ignore[return-value]

    torch.save({"weight": Hostile()}, path)
    pickle.loads(pickle.dumps(Hostile()))  # the payload is a live one
    assert trace.is_file()
    trace.unlink()
    with pytest.raises(ValueError, match="is not a whole file of PyTorch weights"):
        load_weights(nn.Conv2d(2, 3, 3), path)
    assert not trace.exists()


def test_something_that_is_no_state_dict(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "model.pt")
    with pytest.raises(ValueError, match="holds a Tensor, expected a state dict"):
        load_weights(nn.Conv2d(2, 3, 3), tmp_path / "model.pt")
