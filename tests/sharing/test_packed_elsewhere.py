"""Packed bundles, where this package is not installed and nothing but what they pin can be imported."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fetal_monai.data import prepare_hc18
from fetal_monai.phantom import write_phantoms
from fetal_monai.sharing.packed import Packed
from tests.sharing.conftest import BUNDLES, REPOSITORY
from tests.sharing.isolated_site import isolated_python

IMPORTS = """
import json, pathlib, pydoc, re, sys
missing = {}
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    text = "".join(config.read_text() for config in pathlib.Path(folder, "configs").glob("*.json"))
    names = sorted(set(re.findall(r"fetal_monai(?:[.][A-Za-z_]\\w*)+", text)))
    missing[folder] = [name for name in names if pydoc.locate(name) is None]
    assert sys.modules["fetal_monai"].__file__.startswith(folder), sys.modules["fetal_monai"]
    for name in [name for name in sys.modules if name.split(".")[0] == "fetal_monai"]:
        del sys.modules[name]
    sys.path.remove(folder)
print(json.dumps(missing))
"""

# Training comes last: it switches MONAI's tracking of metadata off for the whole process.
RUNS = """
import sys
from monai.bundle import run
options = {"spatial_size": [64, 96], "dataset_dir": sys.argv[1]}
frames = {**options, "dataset_dir": sys.argv[1] + "/training_set"}
run(run_id="inferring", config_file="configs/inference.json", **frames)
run(run_id="evaluating", config_file="configs/evaluate.json", **options)
run(run_id="training", config_file="configs/train.json", epochs=1, batch_size=4, **options)
"""

Python = Callable[..., str]


def pins(bundle: str) -> tuple[str, ...]:
    metadata = json.loads((REPOSITORY / "bundles" / bundle / "configs" / "metadata.json").read_text())
    return ("monai", "torch", "numpy", *sorted(metadata["required_packages_version"]))


BUNDLES_BY_PINS: dict[tuple[str, ...], list[str]] = defaultdict(list)
for name in BUNDLES:
    BUNDLES_BY_PINS[pins(name)].append(name)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Run Python with what a bundle pins; gives what it prints."""
    interpreters: dict[tuple[str, ...], Path] = {}
    unset = ("PYTHONPATH", "MLFLOW_TRACKING_URI")
    environment = {name: value for name, value in os.environ.items() if name not in unset}

    def run(bundle: str, *arguments: str, cwd: Path) -> str:
        pinned = pins(bundle)
        if pinned not in interpreters:
            interpreters[pinned] = isolated_python(tmp_path_factory.mktemp("environment"), pinned)
        command = [str(interpreters[pinned]), *arguments]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout

    return run


@pytest.fixture(scope="module")
def unpacked(packed: Mapping[str, Packed], python: Python, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bundles, one downloaded by MONAI's command and the others unpacked as it does."""
    folder = tmp_path_factory.mktemp("unpacked")
    download = f"-m monai.bundle download --name bisenet --url {packed['bisenet'].path.as_uri()} --bundle_dir".split()
    python("bisenet", *download, str(folder), cwd=folder)
    for bundle in set(BUNDLES) - {"bisenet"}:
        with zipfile.ZipFile(packed[bundle].path) as archive:
            archive.extractall(folder)
    return folder


def test_the_package_is_not_there(python: Python, tmp_path: Path) -> None:
    code = "from importlib.util import find_spec as s; print([x for x in ('fetal_monai', 'monai', 'pytest') if s(x)])"
    assert python("bisenet", "-c", code, cwd=tmp_path) == "['monai']\n"


@pytest.mark.parametrize("alike", BUNDLES_BY_PINS.values(), ids="-".join)
def test_all_that_configs_name_can_be_imported(alike: list[str], unpacked: Path, python: Python) -> None:
    folders = [str(unpacked / bundle) for bundle in alike]
    assert json.loads(python(alike[0], "-c", IMPORTS, *folders, cwd=unpacked)) == {folder: [] for folder in folders}


def test_a_bundle_runs(unpacked: Path, python: Python, tmp_path: Path) -> None:
    write_phantoms(tmp_path, count=6, seed=11)
    prepare_hc18(tmp_path, tmp_path, fractions=(0.5, 0.25, 0.25))
    python("bisenet", "-c", RUNS, str(tmp_path), cwd=unpacked / "bisenet")
    output = unpacked / "bisenet" / "output"
    assert (output / "inference" / "measurements.csv").is_file()
    assert (output / "evaluation" / "summary.json").is_file()
    assert (output / "train" / "model.pt").is_file()
