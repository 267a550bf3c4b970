"""A small data set in HC18's own layout, for tests of whatever reads that layout."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from fetal_monai.biometry import Ellipse

SHAPE = (90, 120)
PIXEL_SIZE_MM = 0.25
COLUMNS = ("filename", "pixel size(mm)", "head circumference (mm)")


def head_of(name: str) -> Ellipse:
    """The head in a frame, different for each name."""
    random = np.random.default_rng(list(name.encode()))
    b = random.uniform(22, 30)
    a = b * random.uniform(1.1, 1.4)
    return Ellipse(random.uniform(55, 65), random.uniform(40, 50), a, b, random.uniform(0, 3))


def write_hc18(folder: Path, names: Iterable[str]) -> Path:
    """Write frames with annotations and the table; returns the folder."""
    frames = folder / "training_set"
    frames.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names:
        head = head_of(name)
        random = np.random.default_rng([1, *name.encode()])
        Image.fromarray(random.integers(0, 255, SHAPE, dtype=np.uint8)).save(frames / name)
        write_annotation(folder, name, head)
        rows.append((name, PIXEL_SIZE_MM, round(head.perimeter * PIXEL_SIZE_MM, 2)))
    write_table(folder, rows)
    return folder


def write_annotation(folder: Path, name: str, head: Ellipse, shape: tuple[int, int] = SHAPE) -> None:
    """Write the outline of a head, a line two pixels wide."""
    outer, inner = (
        replace(head, semi_axis_a=head.semi_axis_a + half_width, semi_axis_b=head.semi_axis_b + half_width)
        for half_width in (1, -1)
    )
    line = outer.rasterise(shape) & ~inner.rasterise(shape)
    path = folder / "training_set" / name.replace(".png", "_Annotation.png")
    Image.fromarray(line.astype(np.uint8) * 255).save(path)


def write_table(folder: Path, rows: Iterable[tuple[object, ...]]) -> None:
    """Write the table of pixel sizes and circumferences."""
    with (folder / "training_set_pixel_size_and_HC.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def read_table(folder: Path) -> list[tuple[str, ...]]:
    """Read the rows of the table."""
    with (folder / "training_set_pixel_size_and_HC.csv").open(newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
