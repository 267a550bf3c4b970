"""Reproductions without a process for each command."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.bundles.call_bundle import call_bundle


@pytest.fixture(scope="module")
def in_this_process() -> Iterator[None]:
    """The commands of a reproduction, run without the seconds that a process of their own takes to import."""

    def run(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        with pytest.MonkeyPatch.context() as here:
            here.setenv("MLFLOW_TRACKING_URI", environment["MLFLOW_TRACKING_URI"])
            call_bundle(*command[command.index("monai.bundle") + 1 :], cwd=Path.cwd())
        return 0

    with pytest.MonkeyPatch.context() as patch:
        # The subpackage exports a function of the module's name.
        patch.setattr(sys.modules["fetal_monai.reproduction.reproduce"], "run_logged", run)
        yield
