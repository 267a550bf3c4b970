"""Fixtures that run the bundles as a user does, by the commands of `python -m monai.bundle`."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from fetal_monai.data import prepare_hc18
from fetal_monai.phantom import write_phantoms
from tests.bundles.call_bundle import call_bundle
from tests.forked import run_forked

REPOSITORY = Path(__file__).parents[2]

Run = Callable[..., str]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "monai.bundle", *arguments]


def reasons(error: BaseException | None) -> str:
    """The messages of an error and of its causes."""
    return f"{error}\n{reasons(error.__cause__)}" if error else ""


@pytest.fixture(scope="session", autouse=True)
def store_beside_the_bundle() -> Iterator[None]:
    """Track runs in the store next to the copied bundle, whatever the caller's environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `python -m monai.bundle ...` in a new process; return its output, or fail with it."""

    def run_bundle(*arguments: str, cwd: Path) -> str:
        done = subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    return run_bundle


@pytest.fixture(scope="session")
def fork() -> Run:
    """Do the same as `run` in a process that has imported everything already."""

    return partial(run_forked, "monai.bundle")


@pytest.fixture(scope="session")
def call() -> Run:
    """Do the same as `run` in this process, which saves the import time; errors are raised."""

    return call_bundle


@pytest.fixture(scope="module")
def checkout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout, with a copy of the test module's `BUNDLE`."""
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
