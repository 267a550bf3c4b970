"""Train a bundle on the ellipses that were accepted on the page."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from fetal_monai.cli.bundle_run import bundle_command
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame, implausible_head
from fetal_monai.data.preparation.identical_frames import pixel_digest
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.name_pattern import LEADING_NUMBER, find_in_name
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.data.preparation.segmentation_dataset import write_segmentation_dataset
from fetal_monai.data.rejected import Rejected
from fetal_monai.files import atomic_path
from fetal_monai.page.accepted import AcceptedFrame, accepted_frames
from fetal_monai.page.workspace import Workspace
from fetal_monai.reporting.gray_8_bit import gray_8_bit

TRAININGS = "trainings"
WEIGHTS = "output/model.pt"

_LOG = "log.txt"
_METRIC = re.compile(r"Epoch\[(\d+)\] Metrics -- (\w+): ([-\d.naif]+)")
_NOT_COPIED = shutil.ignore_patterns("models", "output", "eval", "mlruns", "__pycache__")
_DESCRIPTION = {"name": "page", "description": "Frames with one ellipse each, accepted by a person on the page."}


@dataclass
class Training:
    """One training, in a process of its own.

    Attributes:
        folder: Holds its data list, its copy of the bundle, its output and its log.
        epochs: How many it is to have.
        frames: How many frames it uses.
        left_out: The frames that it does not use, with the reasons.
        command: What runs.
        process: The process.
    """

    folder: Path
    epochs: int
    frames: int
    left_out: list[str]
    command: list[str]
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def state(self) -> str:
        """One of "running", "finished" and "failed"."""
        code = self.process.poll()
        return "running" if code is None else "finished" if code == 0 else "failed"

    def described(self) -> dict[str, Any]:
        """What the page shows: the state, the curves so far, and the end of the log if it failed."""
        log = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").replace("\r", "\n")
        curves: dict[str, list[tuple[int, float]]] = {}
        for epoch, name, value in _METRIC.findall(log):
            curves.setdefault(name, []).append((int(epoch), float(value)))
        return {
            "number": int(self.folder.name),
            "state": self.state,
            "epochs": self.epochs,
            "frames": self.frames,
            "left_out": self.left_out,
            "curves": curves,
            "command": shlex.join(["python", *self.command[1:]]),
            "end_of_log": log.strip().splitlines()[-8:] if self.state == "failed" else [],
        }

    def stop(self) -> None:
        """End the process; nothing happens if it has ended."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def sizes_of(bundle: Path) -> list[str]:
    """The overlays of a bundle that change the network's size: a smaller one trains faster."""
    return sorted(path.name for path in (bundle / "configs").glob("size_*.json"))


def start_training(workspace: Workspace, bundle: Path, epochs: int, overlay: str) -> Training:
    """Prepare the accepted frames, split by exam, and start the bundle's own training on them.

    The exam is the number that a file name starts with, else the file's folder below that of the frames, else the file.

    Args:
        workspace: The folder and its annotations.
        bundle: The bundle; a copy of it is trained.
        epochs: Number of epochs.
        overlay: One of `sizes_of`, or "".

    Raises:
        ValueError: There is no such overlay, or too few exams.
        OSError: The disk is full.
    """
    if overlay and overlay not in sizes_of(bundle):
        raise ValueError(f"{bundle.name} has no size {overlay}; choose one of {', '.join(sizes_of(bundle))}.")
    folder = _new_folder(workspace.folder.state / TRAININGS)
    try:
        inspection = _inspect(workspace, folder)
        write_segmentation_dataset(inspection, _DESCRIPTION, folder / "data")
        copy = folder / bundle.name
        shutil.copytree(bundle, copy, ignore=_NOT_COPIED)
        overrides = ["--dataset_dir", str(folder / "data"), "--output_dir", str(folder / "output")]
        overrides += ["--epochs", str(epochs)]
        command = bundle_command("train", copy, [overlay] if overlay else [], overrides, None)
        with (folder / _LOG).open("wb") as log:
            environment = os.environ | {"PYTHONUNBUFFERED": "1"}
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, env=environment)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    left_out = [f"{problem.file}: {problem.detail}" for problem in inspection.left_out]
    return Training(folder, epochs, len(inspection.frames), left_out, command, process)


def _new_folder(parent: Path) -> Path:
    parent.mkdir(exist_ok=True)
    numbers = [int(path.name) for path in parent.iterdir() if path.name.isdecimal()]
    folder = parent / str(1 + max(numbers, default=0))
    folder.mkdir()
    return folder


def _inspect(workspace: Workspace, folder: Path) -> Inspection[AnnotatedFrame]:
    frames: list[AnnotatedFrame] = []
    problems: list[Problem] = []
    for item in accepted_frames(workspace):
        if isinstance(item, Rejected):
            name, problem = item.file.relative_to(workspace.folder.root).as_posix(), item.reason
        else:
            name, problem = item.name, implausible_head(item.ellipse, item.shape, item.pixel_spacing_mm)
        if problem:
            problems.append(Problem("error", "ellipse", name, problem))
        elif not isinstance(item, Rejected):
            frames.append(_annotated(item, len(frames), folder))
    return Inspection(frames, problems)


def _annotated(frame: AcceptedFrame, place: int, folder: Path) -> AnnotatedFrame:
    image = frame.file
    if not frame.is_still:
        image = folder / "images" / f"{place}.png"
        with atomic_path(image) as temporary:
            Image.fromarray(gray_8_bit(frame.pixels)).save(temporary)
    return AnnotatedFrame(
        image=image,
        filename=frame.name,
        mask_name=f"{place}.png",
        shape=frame.shape,
        exam=_exam(Path(frame.annotation.file)),
        ellipse_px=frame.ellipse,
        pixel_spacing_mm=frame.pixel_spacing_mm,
        head_circumference_mm=frame.result.head_circumference_mm,
        pixels_sha256=pixel_digest(frame.pixels),
    )


def _exam(file: Path) -> str:
    exam = find_in_name(LEADING_NUMBER, file.name) or ("" if file.parent.name else file.name)
    return "/".join(filter(None, [file.parent.as_posix() if file.parent.name else "", exam]))
