import json
import shutil
import sys
from pathlib import Path

import pytest

from fetal_monai.runtimes import find_bundle, select_runtime

BISENET = Path(__file__).parents[2] / "bundles" / "bisenet"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    shutil.copytree(BISENET / "configs", folder / "configs")
    (folder / "models").mkdir()
    shutil.copy(BISENET / "models" / "model.pt", folder / "models")
    return folder


def test_by_name_and_by_folder(bundle: Path) -> None:
    by_name, by_folder = find_bundle("bisenet"), find_bundle(bundle)
    assert by_name.root == BISENET
    assert by_name.spatial_size == by_folder.spatial_size == (256, 384)
    stated = (BISENET / "models" / "model.pt.sha256").read_text().split()[0]
    assert by_name.weights_sha256 == by_folder.weights_sha256 == stated


def test_what_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such bundle"):
        find_bundle(tmp_path / "nowhere")


def test_without_weights(bundle: Path) -> None:
    (bundle / "models" / "model.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights at .*model\.pt. Train"):
        find_bundle(bundle)


def test_another_way_to_resize_is_refused(bundle: Path) -> None:
    path = bundle / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["preprocessing"]["transforms"][2]["mode"] = "area"
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"inference\.json: preprocessing must load a gray frame and resize it"):
        find_bundle(bundle)


def test_another_normalisation_is_refused(bundle: Path) -> None:
    path = bundle / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["preprocessing"]["transforms"][3]["nonzero"] = True
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match="'nonzero': True} is not one that runs outside MONAI"):
        select_runtime(find_bundle(bundle), "torch")


def test_a_polar_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"soft_proposal.*run other bundles by python -m monai\.bundle"):
        find_bundle("soft_proposal")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "tensorflow"}, "engine must be 'auto' or one of openvino, onnxruntime, torch, got 'tensorflow'"),
        ({"precision": "fp64"}, "precision must be 'auto' or one of int8, bf16, fp32, got 'fp64'"),
        ({"engine": "openvino", "device": "cuda"}, "openvino runs on the CPU here, got device='cuda'"),
        ({"engine": "torch", "precision": "int8"}, "PyTorch computes in fp32 or bf16 here, got precision='int8'"),
    ],
)
def test_options_that_do_not_exist_or_fit(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select_runtime(find_bundle("bisenet"), **options)


def test_auto_passes_over_engines_without_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime computes in fp32 only."""
    monkeypatch.delitem(sys.modules, "fetal_monai.runtimes.openvino", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    runtime = select_runtime(find_bundle("bisenet"), precision="bf16")
    assert (runtime.engine, runtime.precision) == ("torch", "bf16")
    with pytest.raises(ImportError, match=r"openvino is not installed: pip install fetal-monai\[fast\]"):
        select_runtime(find_bundle("bisenet"), precision="int8")
