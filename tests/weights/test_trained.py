import hashlib
import math
import pickle
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from fetal_monai.weights import load_weights, publish_weights
from fetal_monai.weights.settings import read_settings, write_settings


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


def test_a_checksum_beside_the_weights_is_checked(weights: Path) -> None:
    right = hashlib.sha256(weights.read_bytes()).hexdigest()
    checksum = weights.with_name("model.pt.sha256")
    checksum.write_text(f"{right}  model.pt\n")
    load_weights(nn.Conv2d(2, 3, 3), weights)
    checksum.write_text(f"{'0' * 64}  model.pt\n")
    with pytest.raises(ValueError, match=rf"{right}, model\.pt\.sha256 states 0000"):
        load_weights(nn.Conv2d(2, 3, 3), weights)


def test_published_weights_are_half_as_large_and_give_nearly_the_same(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(2, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3)).eval()
    assert isinstance(network[1], nn.BatchNorm2d)
    network[1].running_var = torch.full((64,), 1e6)  # beyond half precision
    torch.save(network.state_dict(), tmp_path / "trained.pt")
    publish_weights(tmp_path / "trained.pt", tmp_path / "model.pt")
    subprocess.run(["sha256sum", "--check", "model.pt.sha256"], cwd=tmp_path, check=True)
    assert (tmp_path / "model.pt").stat().st_size < 0.6 * (tmp_path / "trained.pt").stat().st_size
    published = load_weights(deepcopy(network), tmp_path / "model.pt")
    image = torch.rand(1, 2, 16, 16)
    torch.testing.assert_close(published(image), network(image), rtol=1e-2, atol=1e-3)


def test_settings_are_published_with_the_weights(weights: Path, tmp_path: Path) -> None:
    settings = {"bundle": "bisenet", "network": "Conv2d", "options": {"spatial_size": [64, 96]}}
    write_settings(weights, settings)
    publish_weights(weights, tmp_path / "published.pt")
    assert read_settings(tmp_path / "published.pt") == settings
    load_weights(nn.Conv2d(2, 3, 3), tmp_path / "published.pt")


def test_weights_of_another_class_are_refused_though_they_fit(weights: Path) -> None:
    write_settings(weights, {"bundle": "bisenet", "network": "LazyConv2d", "options": {}})
    with pytest.raises(ValueError, match=r"model\.pt holds the weights of LazyConv2d, and this network is Conv2d"):
        load_weights(nn.Conv2d(2, 3, 3), weights)


def test_publishing_moves_the_published_weights_aside(weights: Path, tmp_path: Path) -> None:
    published = tmp_path / "models" / "model.pt"
    for _ in range(2):
        publish_weights(weights, published)
    assert {path.relative_to(tmp_path).as_posix() for path in published.parent.rglob("model.pt*")} == {
        *("models/model.pt", "models/model.pt.sha256"),
        *("models/run_1/model.pt", "models/run_1/model.pt.sha256"),
    }


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
    pickle.loads(pickle.dumps(Hostile()))  # noqa: S301 - the payload is a live one
    assert trace.is_file()
    trace.unlink()
    with pytest.raises(ValueError, match="is not a whole file of PyTorch weights"):
        load_weights(nn.Conv2d(2, 3, 3), path)
    assert not trace.exists()


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_weights_that_are_no_numbers_are_refused_by_file_and_name(tmp_path: Path, value: float) -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    state = network.state_dict()
    state["1.running_var"][1] = value
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt holds NaN or infinite numbers in '1\.running_var'"):
        load_weights(network, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt holds NaN or infinite numbers in '1\.running_var'"):
        publish_weights(tmp_path / "model.pt", tmp_path / "published.pt")
    assert not (tmp_path / "published.pt").exists()


def test_something_that_is_no_state_dict(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "model.pt")
    with pytest.raises(ValueError, match="holds a Tensor, expected a state dict"):
        load_weights(nn.Conv2d(2, 3, 3), tmp_path / "model.pt")
