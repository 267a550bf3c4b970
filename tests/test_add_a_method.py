"""The five steps of CONTRIBUTING, followed in a copy of the repository: a sixth bundle that nobody has to maintain."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]

NETWORK = '''\
"""Two convolutions."""

import torch
from torch import nn


class ShallowNet(nn.Module):
    """Two convolutions: of no use, but small."""

    def __init__(self, in_channels: int = 3, num_classes: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, 4, 5, padding=2), nn.Sigmoid(), nn.Conv2d(4, num_classes, 1)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits of an image (B, C, H, W)."""
        return self.layers(image)
'''

NETWORK_TEST = """\
from fetal_monai.networks import ShallowNet
from tests.networks.segmentation_network import SegmentationNetworkTests


class TestShallowNet(SegmentationNetworkTests):
    def network(self) -> ShallowNet:
        return ShallowNet()
"""

BUNDLE_TEST = """\
import csv
from pathlib import Path

import pytest

from tests.bundles.conftest import REPOSITORY, Run
from tests.bundles.segmentation_bundle import EvaluationTests, FormatTests

BUNDLE = REPOSITORY / "bundles" / "shallow_net"
CONFIGS = "bundles/shallow_net/configs"
SMALL = ("--spatial_size", "[32,48]")


@pytest.fixture(scope="module")
def weights(call: Run, checkout: Path, bundle: Path, few_phantoms: Path) -> Path:
    arguments = ("--dataset_dir", str(few_phantoms), *SMALL, "--epochs", "1", "--learning_rate", "0.1")
    call("run", "training", "--config_file", f"{CONFIGS}/train.json", *arguments, cwd=checkout)
    return bundle / "output" / "train" / "model.pt"


@pytest.fixture(scope="module")
def evaluation(call: Run, checkout: Path, bundle: Path, few_phantoms: Path, weights: Path) -> Path:
    arguments = ("--dataset_dir", str(few_phantoms), *SMALL, "--weights", str(weights))
    call("run", "evaluating", "--config_file", f"{CONFIGS}/evaluate.json", *arguments, cwd=checkout)
    return bundle / "output" / "evaluation"


class TestShallowNet(EvaluationTests, FormatTests):
    source = BUNDLE
    image_shape = (3, 32, 48)

    def test_inference(self, call: Run, checkout: Path, bundle: Path, few_phantoms: Path, weights: Path) -> None:
        frame = sorted((few_phantoms / "training_set").glob("*HC.png"))[0]
        arguments = ("--dataset_dir", str(frame), *SMALL, "--weights", str(weights))
        call("run", "inferring", "--config_file", f"{CONFIGS}/inference.json", *arguments, cwd=checkout)
        with (bundle / "output" / "inference" / "measurements.csv").open() as file:
            (row,) = csv.DictReader(file)
        assert row["file"] == frame.name
"""

PAPER = {
    "key": "shallow_net",
    "title": "Two convolutions",
    "note": "",
    "columns": [{"key": "dice", "heading": "Dice %", "factor": 100, "digits": 1}],
    "rows": [{"method": "Shallow net", "reported": {"dice": 50.0}, "ours": {"network": "ShallowNet"}}],
}


def rewrite(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert re.search(old, text, re.MULTILINE), f"{path.name} has no {old}"
        text = re.sub(old, new, text, flags=re.MULTILINE)
    path.write_text(text)


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content, indent=4) + "\n")


def add_network(copy: Path) -> None:
    """The first step."""
    networks = copy / "fetal_monai" / "networks"
    (networks / "shallow_net.py").write_text(NETWORK)
    with (networks / "__init__.py").open("a") as file:
        file.write('from fetal_monai.networks.shallow_net import ShallowNet\n\n__all__ += ["ShallowNet"]\n')
    (copy / "tests" / "networks" / "test_shallow_net.py").write_text(NETWORK_TEST)


def add_bundle(copy: Path) -> Path:
    """The second step."""
    bundle = copy / "bundles" / "shallow_net"
    shutil.copytree(copy / "bundles" / "bisenet", bundle)
    configs = bundle / "configs"
    for overlay in (*configs.glob("size_*.json"), configs / "baseline_unet.json"):
        overlay.unlink()

    def use_network(config: dict[str, Any]) -> None:
        config["network_def"] = {"_target_": "fetal_monai.networks.ShallowNet", "in_channels": 3, "num_classes": 2}

    def train_it(config: dict[str, Any]) -> None:
        use_network(config)
        # It has one output, so the loss is used as it is.
        config["loss"] = {"_target_": "DiceLoss", "include_background": False, "to_onehot_y": True, "softmax": True}
        config["train"]["trainer"]["loss_function"] = "@loss"
        del config["auxiliary_weight"], config["deep_supervision"]
        del config["run_parameters"]["auxiliary_weight"]
        config["run_parameters"]["loss"] = "$type(@loss).__name__"

    change(configs / "train.json", train_it)
    rewrite(configs / "train.json", ('"bundle": "bisenet"', '"bundle": "shallow_net"'))
    for name in ("evaluate", "inference"):
        change(configs / f"{name}.json", use_network)
    for name in ("train", "evaluate", "inference"):
        rewrite(configs / f"{name}.json", ("bundles/bisenet", "bundles/shallow_net"))
    return bundle


def describe(bundle: Path) -> None:
    """The third step."""

    def tell(metadata: dict[str, Any]) -> None:
        metadata |= {"bundle": "shallow_net", "name": "Two convolutions", "task": "Segmentation", "references": []}
        metadata |= {"description": "Two convolutions"}
        metadata["changelog"] = {metadata["version"]: "first version"}

    change(bundle / "configs" / "metadata.json", tell)
    rewrite(
        bundle / "docs" / "README.md",
        (r"bundles/bisenet", "bundles/shallow_net"),
        (r"^\| `(size|baseline)_.*\n", ""),
        (r"^\| `--auxiliary_weight` .*\n", ""),
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with a sixth method."""
    copy = tmp_path_factory.mktemp("repository")
    for name in ("pyproject.toml", "README.md", "environment.yml", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    for name in ("fetal_monai", "bundles", "tests"):
        shutil.copytree(
            REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "output", "models")
        )
    add_network(copy)
    describe(add_bundle(copy))
    (copy / "tests" / "bundles" / "test_shallow_net.py").write_text(BUNDLE_TEST)
    (copy / "fetal_monai" / "comparison" / "papers" / "shallow_net.json").write_text(json.dumps(PAPER))
    return copy


def test_a_sixth_method_passes_what_its_bundle_inherits(copy: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "shallow_net or TestAllBundles"]
    tests = (
        "networks/test_shallow_net.py",
        "bundles/test_shallow_net.py",
        "bundles/test_family.py",
        "sharing/audit/test_audit_files.py",
    )
    done = subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    for kind in ("TestOurBundles", "TestEachBundle"):
        assert re.search(rf"::{kind}::.*\[shallow_net\] PASSED", done.stdout)
