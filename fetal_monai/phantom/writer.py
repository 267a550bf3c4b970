"""Write simulated frames in the layout of HC18."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import index
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fetal_monai.biometry import Ellipse
from fetal_monai.phantom.exam import draw_exam
from fetal_monai.phantom.frame import PhantomFrame, simulate_frame
from fetal_monai.phantom.staging import staged_folder, write_png, write_table

# The first part of an HC18 archive contains annotated frames, the second only frames.
_TRAINING_FOLDER, _TRAINING_TABLE = "training_set", "training_set_pixel_size_and_HC.csv"
_TEST_FOLDER, _TEST_TABLE = "test_set", "test_set_pixel_size.csv"
_TRUTH_TABLE = "ground_truth.csv"
# The test frames come from other exams, whatever the number of training exams.
_FIRST_TEST_EXAM = 1_000_000


def write_phantoms(folder: str | Path, count: int, seed: int = 0, test_count: int = 0) -> None:
    """Write simulated frames with their annotation and measurements in the layout of HC18.

    - `training_set/000_HC.png`: the frame, 800x540 px, 8-bit gray. `000` is the exam; a second frame of the same exam
      is `000_2HC.png`;
    - `training_set/000_HC_Annotation.png`: a thin closed line along the exact ellipse, 255 on 0;
    - `training_set_pixel_size_and_HC.csv`: `filename`, `pixel size(mm)`, `head circumference (mm)`;
    - `test_set/` and `test_set_pixel_size.csv`, if requested: frames without annotation;
    - `ground_truth.csv`, which HC18 does not have: the exact ellipse of every frame, test frames included.

    The same seed gives the same frames, and frame number i does not depend on the number of frames. Files are moved to
    the folder at the end: an interrupted run leaves nothing behind.

    Args:
        folder: Output folder. It may exist, but must not contain any of the names above.
        count: Number of training frames, 1 or more.
        seed: Seed of the set, 0 or more.
        test_count: Number of test frames, 0 or more.

    Raises:
        TypeError: A number is not an integer.
        ValueError: A number is too small.
        FileExistsError: The folder already contains a data set.
        NotADirectoryError: `folder` is a file.
    """
    for name, value, smallest in (("count", count, 1), ("seed", seed, 0), ("test_count", test_count, 0)):
        if index(value) < smallest:
            raise ValueError(f"{name} must be {smallest} or more, got {value}.")
    names = (_TRAINING_FOLDER, _TRAINING_TABLE, _TEST_FOLDER, _TEST_TABLE, _TRUTH_TABLE)
    with staged_folder(Path(folder), names) as staging:
        with tqdm(total=count + test_count, desc="Simulating frames", unit="frame") as progress:
            truth = list(_write_training_set(staging, count, seed, progress))
            if test_count:
                truth += _write_test_set(staging, test_count, seed, progress)
        write_table(
            staging / _TRUTH_TABLE,
            (
                "filename",
                "pixel size(mm)",
                "head circumference (mm)",
                "center_x_px",
                "center_y_px",
                "semi_axis_a_px",
                "semi_axis_b_px",
                "angle_rad",
            ),
            truth,
        )


def _write_training_set(folder: Path, count: int, seed: int, progress: tqdm) -> Iterator[tuple[object, ...]]:
    """Write annotated frames and their table; yield the rows of the ground truth."""
    (folder / _TRAINING_FOLDER).mkdir()
    rows = []
    for (exam, repeat), _ in zip(_training_numbers(seed), range(count), strict=False):
        frame = simulate_frame(seed, exam, repeat)
        stem = f"{exam:03d}_{repeat + 1 if repeat else ''}HC"
        write_png(folder / _TRAINING_FOLDER / f"{stem}.png", frame.pixels)
        write_png(folder / _TRAINING_FOLDER / f"{stem}_Annotation.png", _outline(frame.ellipse, frame.pixels.shape))
        rows.append((f"{stem}.png", frame.pixel_spacing_mm[0], round(frame.head_circumference_mm, 2)))
        yield _truth_row(f"{_TRAINING_FOLDER}/{stem}.png", frame)
        progress.update()
    write_table(folder / _TRAINING_TABLE, ("filename", "pixel size(mm)", "head circumference (mm)"), rows)


def _write_test_set(folder: Path, count: int, seed: int, progress: tqdm) -> Iterator[tuple[object, ...]]:
    """Write frames without annotation and their table; yield the rows of the ground truth."""
    (folder / _TEST_FOLDER).mkdir()
    rows = []
    for number in range(count):
        frame = simulate_frame(seed, _FIRST_TEST_EXAM + number)
        name = f"{number:03d}_HC.png"
        write_png(folder / _TEST_FOLDER / name, frame.pixels)
        rows.append((name, frame.pixel_spacing_mm[0]))
        yield _truth_row(f"{_TEST_FOLDER}/{name}", frame)
        progress.update()
    write_table(folder / _TEST_TABLE, ("filename", "pixel size(mm)"), rows)


def _training_numbers(seed: int) -> Iterator[tuple[int, int]]:
    """Endless (exam, repeat) of the training frames."""
    for exam in range(_FIRST_TEST_EXAM):
        for repeat in range(draw_exam(seed, exam).frame_count):
            yield exam, repeat


def _truth_row(name: str, frame: PhantomFrame) -> tuple[object, ...]:
    e = frame.ellipse
    return (
        name,
        frame.pixel_spacing_mm[0],
        frame.head_circumference_mm,
        e.center_x,
        e.center_y,
        e.semi_axis_a,
        e.semi_axis_b,
        e.angle_rad,
    )


def _outline(ellipse: Ellipse, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A closed line of 1.8 px centred on the ellipse, so that a fit returns the ellipse."""
    half_width = 0.9
    outer, inner = (
        replace(ellipse, semi_axis_a=ellipse.semi_axis_a + offset, semi_axis_b=ellipse.semi_axis_b + offset)
        for offset in (half_width, -half_width)
    )
    size = (shape[0], shape[1])
    return np.where(outer.rasterise(size) & ~inner.rasterise(size), 255, 0).astype(np.uint8)
