"""The bundles, run as a user runs them: `python -m monai.bundle` in a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fire
import monai.bundle
import pytest

from fetal_monai.data import prepare_hc18
from fetal_monai.phantom import write_phantoms

REPOSITORY = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., None]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "monai.bundle", *arguments]


def environment() -> dict[str, str]:
    # Runs are tracked in the store beside the copied bundle, whatever the caller's environment names.
    return {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `python -m monai.bundle ...`; fails with the output if the command does, unless `check` is False."""

    def run_bundle(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=900
        )
        if check:
            assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done

    return run_bundle


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """What `run` does but in this process: for commands that leave no trace in it, to save the seconds of importing."""

    def call_bundle(*arguments: str, cwd: Path) -> None:
        monkeypatch.chdir(cwd)
        fire.Fire(monai.bundle, command=list(arguments))

    return call_bundle


@pytest.fixture(scope="module")
def checkout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout, with a copy of the bundle that the test module names as `BUNDLE`."""
    source: Path = request.module.BUNDLE
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(source, folder / "bundles" / source.name, ignore=shutil.ignore_patterns("output"))
    return folder


@pytest.fixture(scope="module")
def bundle(request: pytest.FixtureRequest, checkout: Path) -> Path:
    """The bundle in that checkout."""
    return checkout / "bundles" / request.module.BUNDLE.name


@pytest.fixture(scope="session")
def few_phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data set of a few phantoms."""
    folder = tmp_path_factory.mktemp("few_phantoms")
    write_phantoms(folder, count=24, seed=11)
    prepare_hc18(folder, folder, fractions=(0.6, 0.2, 0.2))
    return folder
