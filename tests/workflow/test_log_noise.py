"""What a user sees of a run, in a terminal."""

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from ignite.handlers import ProgressBar
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator
from monai.transforms import LoadImaged

from fetal_monai.data import FrameReader, collect_frames
from fetal_monai.workflow import run_in_folder
from fetal_monai.workflow.log_noise import leave_out_noise
from tests.frame_files import asymmetric_picture, write_metaimage

BATCHES = DataLoader([{"image": torch.ones(1), "label": torch.ones(1)}] * 3, batch_size=1)


@contextmanager
def terminal() -> Iterator[io.StringIO]:
    """Where both streams and the log of a command are shown."""
    screen = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stderr", screen)
        handler = logging.StreamHandler(screen)
        handler.setFormatter(logging.Formatter("LOG %(message)s"))
        patch.setattr(logging.root, "handlers", [handler])
        patch.setattr(logging.root, "level", logging.INFO)
        yield screen


def shown(screen: io.StringIO) -> list[str]:
    """The finished lines as a terminal shows them: what follows a carriage return overwrites the line."""
    return [line.rpartition("\r")[2] for line in screen.getvalue().split("\n")[:-1]]


def test_a_line_of_the_log_is_not_written_into_the_bar(tmp_path: Path) -> None:
    def say(engine: Engine) -> None:
        logging.getLogger("fetal_monai.say").info("frame %d", engine.state.iteration)

    with terminal() as screen:
        engine = SupervisedEvaluator(torch.device("cpu"), BATCHES, torch.nn.Linear(1, 1), val_handlers=[])
        ProgressBar(desc="inference", mininterval=0).attach(engine)
        engine.add_event_handler(Events.ITERATION_COMPLETED, say)
        run_in_folder(tmp_path, "inference", engine)
    assert "inference" in screen.getvalue()
    assert [line for line in shown(screen) if "frame" in line] == [f"LOG frame {number}" for number in (1, 2, 3)]


def test_warnings_while_frames_are_read_are_not_written_into_the_bar(tmp_path: Path) -> None:
    for name in ("1.mha", "2.mha"):
        write_metaimage(tmp_path / name, asymmetric_picture())
    with terminal() as screen:
        collect_frames(tmp_path, pixel_spacing_mm=0.1)
    assert "Reading frames" in screen.getvalue()
    lines = [line for line in shown(screen) if "header" in line]
    assert len(lines) == 2
    assert all(line.startswith("LOG ") for line in lines)


def test_an_engine_says_nothing_of_its_own(tmp_path: Path) -> None:
    with terminal() as screen:
        leave_out_noise()
        run_in_folder(tmp_path, "evaluate", SupervisedEvaluator(torch.device("cpu"), BATCHES, torch.nn.Linear(1, 1)))
    assert shown(screen) == []


def test_nothing_is_said_of_a_decoder_that_is_not_used(tmp_path: Path) -> None:
    path = write_metaimage(tmp_path / "frame.mha", asymmetric_picture())
    with terminal() as screen, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leave_out_noise()
        image = LoadImaged("image", reader=FrameReader)({"image": str(path)})["image"]
    np.testing.assert_array_equal(image.numpy(), asymmetric_picture())
    assert [str(warning.message) for warning in caught if "nvImageCodec" in str(warning.message)] == []
    assert screen.getvalue() == ""
