import hashlib
import logging
from pathlib import Path

import pytest
import torch

from fetal_monai.networks import DeepLabV2
from fetal_monai.weights import load_pretrained
from tests.networks.torchvision_layout import resnet_layout


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """What torchvision's ResNet-50 would save, of random numbers."""
    torch.manual_seed(0)
    state = {
        name: torch.rand(shape) if shape else torch.tensor(7, dtype=torch.int64)
        for name, shape in resnet_layout("resnet50").items()
    }
    return {**state, "fc.weight": torch.rand(1000, 2048), "fc.bias": torch.rand(1000)}


@pytest.fixture(scope="module")
def imagenet(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet50.pth"
    torch.save(state, path)
    return path


def test_torchvisions_imagenet_weights_load_whole_and_the_classifier_is_skipped(
    imagenet: Path, state: dict[str, torch.Tensor]
) -> None:
    backbone = DeepLabV2(depth="resnet50").backbone
    result = load_pretrained(backbone, imagenet)
    assert result.missing == []
    assert result.skipped == ["fc.weight", "fc.bias"]
    assert len(result.loaded) == 53 * 5  # 53 convolutions, each with four tensors of its batch norm
    own = backbone.state_dict()
    assert all(torch.equal(own[name], state[name]) for name in result.loaded)
    assert str(result) == f"pre-trained weights {imagenet}: 265 loaded; 2 skipped (fc.weight, fc.bias); 0 missing"


def test_torchvisions_coco_weights_load_from_behind_their_prefix(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    coco = {f"backbone.{name}": value for name, value in state.items() if not name.startswith("fc.")}
    coco["classifier.4.weight"] = torch.rand(21, 256, 1, 1)
    torch.save(coco, tmp_path / "coco.pth")
    backbone = DeepLabV2(depth="resnet50").backbone
    result = load_pretrained(backbone, tmp_path / "coco.pth")
    assert (result.missing, result.skipped) == ([], ["classifier.4.weight"])
    assert torch.equal(backbone.state_dict()["layer4.2.conv3.weight"], state["layer4.2.conv3.weight"])


def test_weights_of_another_depth_say_what_is_missing(imagenet: Path, caplog: pytest.LogCaptureFixture) -> None:
    backbone = DeepLabV2(depth="resnet101").backbone
    with caplog.at_level(logging.WARNING):
        result = load_pretrained(backbone, imagenet)
    assert {name.split(".")[0] for name in result.missing} == {"layer3"}
    assert len(result.missing) == (23 - 6) * 3 * 5
    assert "is it of the same depth?" in caplog.text


def test_a_tensor_of_another_shape_is_skipped_and_told(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save({**state, "conv1.weight": torch.rand(64, 1, 7, 7)}, tmp_path / "gray.pth")
    result = load_pretrained(DeepLabV2(depth="resnet50").backbone, tmp_path / "gray.pth")
    assert "conv1.weight" in result.skipped
    assert result.missing == ["conv1.weight"]


def test_without_a_file_nothing_changes_and_it_says_so() -> None:
    backbone = DeepLabV2(depth="resnet50").backbone
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    assert "starts from random weights" in str(load_pretrained(backbone, None))
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())


def test_the_checksum_is_checked(imagenet: Path) -> None:
    backbone = DeepLabV2(depth="resnet50").backbone
    right = hashlib.sha256(imagenet.read_bytes()).hexdigest()
    load_pretrained(backbone, imagenet, right.upper())
    with pytest.raises(ValueError, match=rf"SHA-256 {right}, --pretrained_sha256 states 0000"):
        load_pretrained(backbone, imagenet, "0" * 64)


def test_a_file_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    # The batch counter is a name that both have: it does not make the file the backbone's.
    torch.save({"encoder.0.weight": torch.rand(3), "bn1.num_batches_tracked": torch.tensor(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"Nothing in .*other\.pth fits ResNet: it holds encoder\.0\.weight.*conv1"):
        load_pretrained(DeepLabV2(depth="resnet50").backbone, tmp_path / "other.pth")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.pth.*--pretrained"):
        load_pretrained(DeepLabV2(depth="resnet50").backbone, tmp_path / "nothing.pth")
