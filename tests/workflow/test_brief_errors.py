from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser

from fetal_monai.data import collect_frames, load_datalist
from fetal_monai.geometry import Box
from fetal_monai.weights import load_weights
from fetal_monai.workflow.brief_errors import brief_message


def raised(action: Callable[[], Any]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        action()
    return caught.value


def in_config(expression: str, **config: Any) -> Callable[[], Any]:
    """The expression as MONAI evaluates it: it wraps errors in its own."""
    parser = ConfigParser({"imports": ["$import fetal_monai"], "run": expression, **config})
    return lambda: parser.get_parsed_content("run")


def test_a_message_of_ours_is_all_that_is_said(tmp_path: Path) -> None:
    error = raised(in_config(f"$fetal_monai.data.collect_frames('{tmp_path}/typo')"))
    assert "Failed to evaluate" in str(error)
    assert brief_message(error) == (
        f"Error: {tmp_path}/typo: no such file or folder; give the frame or the folder of frames to measure."
    )


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda folder: collect_frames(folder), "no frames in this folder"),
        (
            lambda folder: collect_frames(folder, "0,12"),  # type: ignore[arg-type]  # as the command line gives it
            "pixel_spacing_mm is '0,12'",
        ),
        (lambda folder: load_datalist(folder, "test"), "does not exist"),
        (lambda folder: load_weights(torch.nn.Linear(1, 1), folder / "model.pt"), "There are no weights at"),
        (lambda folder: (folder / "nothing").read_text(), "No such file or directory. What was written before is kept"),
    ],
)
def test_what_a_user_can_correct(action: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    line = brief_message(raised(lambda: action(tmp_path)))
    assert line is not None
    assert message in line
    assert str(tmp_path) in line or "0,12" in line
    assert "\n" not in line


def test_a_message_of_ours_hides_the_error_that_caused_it(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "model.pt")
    line = brief_message(raised(lambda: load_weights(torch.nn.Linear(1, 1), tmp_path / "model.pt")))
    assert line is not None
    assert line.startswith(f"Error: {tmp_path}/model.pt does not hold the weights of this Linear.")


def test_a_full_disk() -> None:
    def write() -> None:
        with Path("/dev/full").open("w") as file:
            file.write("x" * 100_000)

    error = raised(write)
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC
    assert brief_message(error) == "Error: No space left on device. What was written before is kept."


def test_ctrl_c() -> None:
    assert brief_message(KeyboardInterrupt()) == "Interrupted. What was written before is kept."


@pytest.mark.parametrize(
    "action",
    [
        lambda: Box(0, 0, 1, 1).no_such_attribute,  # type: ignore[attr-defined]
        lambda: collect_frames(None),  # type: ignore[arg-type]  # fails in our code, but no `raise` of ours says so
        lambda: torch.zeros(2) @ torch.zeros(3),
        in_config("$1 / 0"),
    ],
)
def test_unexpected_errors_keep_their_traceback(action: Callable[[], Any]) -> None:
    assert brief_message(raised(action)) is None
