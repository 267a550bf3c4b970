"""What `fetal-monai page` refuses; `tests/page` has what it serves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fetal_monai.cli.main import main


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["page", str(tmp_path), "--port", str(port), "--no-browser"]) == 2
    assert f"--port {port} cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}"], "is a file: give the folder"),
        (["{folder}", "--table", "{folder}/none.csv"], "none.csv: no such table"),
        (["{folder}", "--bundle", "unknown"], "unknown: no such bundle"),
        (["{folder}", "--pixel-spacing-mm", "70"], "expected the size of a pixel"),
    ],
)
def test_what_cannot_be_served(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frame.png"
    file.touch()
    given = [argument.format(file=file, folder=tmp_path) for argument in arguments]
    assert main(["page", *given, "--port", "0", "--no-browser"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / ".fetal_monai").exists()
