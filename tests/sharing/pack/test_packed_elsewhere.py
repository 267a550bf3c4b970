"""Packed bundles run where this package is not installed and only the packages that they pin can be imported."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from fetal_monai.data import prepare_hc18
from fetal_monai.phantom import write_phantoms
from fetal_monai.sharing.pack.pack_result import PackResult
from tests.sharing.pack.conftest import BUNDLES, REPOSITORY
from tests.sharing.pack.isolated_site import isolated_python

pytestmark = pytest.mark.slow

# One process for all bundles with the same pins: importing torch, MONAI and mlflow takes longer than the rest.
DOWNLOAD_AND_IMPORT = """
import contextlib, json, pathlib, pydoc, re, runpy, sys
missing = {}
here, *addresses = sys.argv[1:]
for address in addresses:
    name = address.rpartition("/")[2].partition("_v")[0]
    sys.argv = ["monai.bundle", "download", "--name", name, "--url", address, "--bundle_dir", here]
    with contextlib.redirect_stdout(sys.stderr):
        runpy.run_module("monai.bundle", run_name="__main__")
    folder = str(pathlib.Path(here, name))
    sys.path.insert(0, folder)
    text = "".join(config.read_text() for config in pathlib.Path(folder, "configs").glob("*.json"))
    names = sorted(set(re.findall(r"fetal_monai(?:[.][A-Za-z_]\\w*)+", text)))
    missing[name] = [name for name in names if pydoc.locate(name) is None]
    assert sys.modules["fetal_monai"].__file__.startswith(folder), sys.modules["fetal_monai"]
    for module in [module for module in sys.modules if module.split(".")[0] == "fetal_monai"]:
        del sys.modules[module]
    sys.path.remove(folder)
print(json.dumps(missing))
"""

# Training comes last: it disables MONAI's metadata tracking for the whole process.
RUN = """
import os, sys
from monai.bundle import ckpt_export, load, run, verify_net_in_out
sys.path.insert(0, os.path.abspath("bisenet"))
# As the model zoo's ci/verify_bundle.py does in its full mode, in the folder that contains the bundle.
configs = {"meta_file": "bisenet/configs/metadata.json", "config_file": "bisenet/configs/inference.json"}
verify_net_in_out(net_id="network_def", bundle_root="bisenet", **configs)
weights, exported = "bisenet/models/model.pt", "bisenet/models/verify_model.ts"
ckpt_export(net_id="network_def", bundle_root="bisenet", filepath=exported, ckpt_file=weights, **configs)
os.chdir("bisenet")
assert type(load("bisenet", bundle_dir="..")).__name__ == "BiSeNet"
options = {"dataset_dir": "../data"}
run(run_id="inferring", config_file="configs/inference.json", **{**options, "dataset_dir": "../data/training_set"})
run(run_id="evaluating", config_file="configs/evaluate.json", **options)
run(run_id="training", config_file="configs/train.json", epochs=1, batch_size=4, **options)
"""


def pins(bundle: str) -> tuple[str, ...]:
    metadata = json.loads((REPOSITORY / "bundles" / bundle / "configs" / "metadata.json").read_text())
    return ("monai", "torch", "numpy", *sorted(metadata["required_packages_version"]))


BUNDLES_BY_PINS: dict[tuple[str, ...], list[str]] = defaultdict(list)
for name in BUNDLES:
    BUNDLES_BY_PINS[pins(name)].append(name)


def run(folder: Path, bundle: str, code: str, *arguments: str) -> str:
    """Run Python code in a folder with a bundle's pinned packages; return its output."""
    unset = ("PYTHONPATH", "MLFLOW_TRACKING_URI")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    python = isolated_python(folder / "environment", pins(bundle))
    command = [str(python), "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout


def test_the_package_is_not_there(tmp_path: Path) -> None:
    code = "from importlib.util import find_spec as s; print([x for x in ('fetal_monai', 'monai', 'pytest') if s(x)])"
    assert run(tmp_path, "bisenet", code) == "['monai']\n"


@pytest.mark.parametrize("alike", BUNDLES_BY_PINS.values(), ids="-".join)
def test_they_are_downloaded_all_names_are_found_and_one_runs(
    alike: list[str], packed: Mapping[str, PackResult], tmp_path: Path
) -> None:
    addresses = [packed[bundle].path.as_uri() for bundle in alike]
    runs = "bisenet" in alike
    if runs:
        write_phantoms(tmp_path / "data", count=6, seed=11)
        prepare_hc18(tmp_path / "data", tmp_path / "data", fractions=(0.5, 0.25, 0.25))
    out = run(tmp_path, alike[0], DOWNLOAD_AND_IMPORT + (RUN if runs else ""), str(tmp_path), *addresses)
    assert json.loads(out.splitlines()[0]) == {bundle: [] for bundle in alike}
    if runs:
        output = tmp_path / "bisenet" / "output"
        assert (output / "inference" / "measurements.csv").is_file()
        assert (output / "evaluation" / "summary.json").is_file()
        assert (output / "train" / "model.pt").is_file()
        assert (tmp_path / "bisenet" / "models" / "verify_model.ts").is_file()
