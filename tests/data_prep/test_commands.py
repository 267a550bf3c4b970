import pytest

from tests.bundles.conftest import REPOSITORY
from tests.forked import run_forked


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ellipse_label", "fetal_planes", "hc18", "phantom"])
def test_each_command_line_is_run_as_a_module(name: str) -> None:
    printed = run_forked(f"data_prep.{name}", "--help", cwd=REPOSITORY)
    assert f"usage: python -m data_prep.{name} " in printed
