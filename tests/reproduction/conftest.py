"""Reproductions without a process for each command."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from fetal_monai.reproduction import reproduce
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
        patch.setattr(reproduce, "run_logged", run)
        yield
