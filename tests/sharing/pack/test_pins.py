"""The packages that the bundles' metadata pins can be installed together on the model zoo's Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fetal_monai.sharing.pack.requirements import pins
from tests.sharing.pack.conftest import BUNDLES, REPOSITORY

PYTHON = "3.10"  # the model zoo's


def pinned(bundle: str) -> dict[str, str]:
    return pins(json.loads((REPOSITORY / "bundles" / bundle / "configs" / "metadata.json").read_text()))


def test_all_bundles_pin_the_same_version() -> None:
    versions: dict[str, set[str]] = {}
    for bundle in BUNDLES:
        for name, version in pinned(bundle).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.slow
def test_the_pins_resolve(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    together = {name: version for bundle in BUNDLES for name, version in pinned(bundle).items()}
    requirements.write_text("".join(f"{name}=={version}\n" for name, version in sorted(together.items())))
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "compile", "--python-version", PYTHON]
    command += ["--only-binary", ":all:", "--output-file", str(tmp_path / "resolved.txt"), str(requirements)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if done.returncode and "No solution found" not in done.stderr:
        pytest.skip(f"the package index cannot be reached: {done.stderr[-500:]}")
    assert done.returncode == 0, done.stderr
