"""Commands of `python -m monai.bundle` in the process of the test, to save the seconds of importing."""

import io
import logging
from contextlib import redirect_stdout
from pathlib import Path

import fire
import monai.bundle
import monai.data
import pytest


def call_bundle(*arguments: str, cwd: Path) -> str:
    """Run a command as the command line does and return what it prints; errors are raised."""
    printed, level = io.StringIO(), logging.root.level
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.chdir(cwd)
        try:
            fire.Fire(monai.bundle, command=list(arguments))
        finally:
            monai.data.set_track_meta(True)  # a training that fails leaves it off
            logging.root.setLevel(level)  # the bundle's logging.conf sets it
    return printed.getvalue()
