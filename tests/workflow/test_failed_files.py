from __future__ import annotations

import logging
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from fetal_monai.files import write_csv_table
from fetal_monai.workflow import state_failed_files

MESSAGE = "2 of 3 files failed; {} says why."


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A cine loop that failed after its first frame, a file that failed, and one that did not."""
    rows = [["a.avi", "localised"], ["a.avi", "failed"], ["b.png", "failed"], ["c.png", "localised"]]
    write_csv_table(tmp_path / "regions.csv", ["file", "status"], rows)
    return tmp_path / "regions.csv"


def test_a_program_gets_a_line(table: Path, caplog: pytest.LogCaptureFixture) -> None:
    state_failed_files(table)
    assert [(record.levelno, record.message) for record in caplog.records] == [(logging.WARNING, MESSAGE.format(table))]


def test_the_command_line_gets_an_exit_code(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("monai.bundle.__main__", None))
    with pytest.raises(SystemExit) as ended:
        state_failed_files(table)
    assert ended.value.code == MESSAGE.format(table)  # Python prints it and ends with 1


def test_nothing_is_said_where_nothing_failed(
    table: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("monai.bundle.__main__", None))
    write_csv_table(table, ["file", "status"], [["a.png", "unscaled"], ["b.png", "measured"]])
    state_failed_files(table)
    assert caplog.records == []
