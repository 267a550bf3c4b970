"""Check a prepared data set, and format the problems as a table."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fetal_monai.biometry import HeadMeasurement, measure_head
from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data import FrameError, read_frame
from fetal_monai.data.datalist import SECTIONS, read_datalist
from fetal_monai.data.preparation.hc18 import MAX_HC_DIFFERENCE
from fetal_monai.data.preparation.identical_frames import identical_frames, pixel_digest
from fetal_monai.data.preparation.problem import Problem


def verify_prepared(dataset_dir: str | Path) -> list[Problem]:
    """Check every frame of a prepared data set, and that no frame or exam is in two sections.

    Checked: images and labels are there, readable and of one size; labels hold 0 and 255 only; pixel spacing,
    if the list has it, and then the HC measured on the label against the HC in the list; identical frames; exams or
    identical frames that appear in two sections.

    Args:
        dataset_dir: The folder that holds `datalist.json`.

    Returns:
        The problems, in the order of the list; empty if there are none.

    Raises:
        FileNotFoundError: The data list does not exist.
        ValueError: The data list is malformed.
    """
    folder = Path(dataset_dir).resolve()
    content = read_datalist(folder)
    listed = [(section, frame) for section in SECTIONS for frame in content[section]]
    problems: list[Problem] = []
    pixels_of: list[tuple[str, str, str]] = []
    sections_of_exam: dict[str, set[str]] = defaultdict(set)
    listed_as: dict[str, list[str]] = defaultdict(list)
    for section, frame in tqdm(listed, desc="Checking the data list", unit="frame"):
        name = Path(frame["image"]).name
        sections_of_exam[frame["exam"]].add(section)
        try:
            image = read_frame(folder / frame["image"]).pixels
            problems += _check_label(name, image.shape, read_frame(folder / frame["label"]).pixels, frame)
        except (FrameError, OSError) as problem:
            problems.append(Problem("error", "missing or unreadable", name, str(problem)))
            continue
        digest = pixel_digest(image)
        pixels_of.append((name, frame["exam"], digest))
        listed_as[digest].append(f"{name} ({section})")
    problems += identical_frames(pixels_of)
    for exam, sections in sections_of_exam.items():
        if len(sections) > 1:
            detail = f"exam {exam} is in {' and '.join(sorted(sections))}: its frames are not independent"
            problems.append(Problem("error", "split", f"exam {exam}", detail))
    for places in listed_as.values():
        if len({place.rpartition(" ")[2] for place in places}) > 1:
            detail = f"the same image is in two sections: {', '.join(places)}"
            problems.append(Problem("error", "split", places[0].partition(" ")[0], detail))
    return problems


def format_findings(problems: Sequence[Problem]) -> str:
    """Format the problems as an aligned table with a line of totals, or "no problems"."""
    errors = sum(finding.level == "error" for finding in problems)
    totals = f"{errors} errors, {len(problems) - errors} warnings"
    if not problems:
        return f"no problems ({totals})"
    rows = [("level", "check", "file", "finding"), *((f.level, f.check, f.file, f.detail) for f in problems)]
    level, check, file = (max(len(row[column]) for row in rows) for column in range(3))
    lines = [f"{row[0]:<{level}}  {row[1]:<{check}}  {row[2]:<{file}}  {row[3]}" for row in rows]
    return "\n".join([*lines, totals])


def _check_label(name: str, shape: tuple[int, ...], label: np.ndarray, frame: dict[str, Any]) -> list[Problem]:
    def error(check: str, detail: str) -> list[Problem]:
        return [Problem("error", check, name, detail)]

    if label.shape != shape:
        sizes = "image {1}x{0}, label {3}x{2} px".format(*shape, *label.shape)
        return error("size", f"image and label differ in size: {sizes}")
    values = np.unique(label)
    if not set(values) <= {0, 255}:
        found = ", ".join(f"{value:g}" for value in values[:5])
        return error("label", f"label holds {found}; expected 0 (background) and 255 (head) only")
    if "pixel_spacing_mm" not in frame:
        head = measure_head(label)
        return [] if isinstance(head, HeadMeasurement) else error("label", head.reason)
    spacing = frame["pixel_spacing_mm"]
    if not (
        isinstance(spacing, list)
        and len(spacing) == 2
        and all(isinstance(value, int | float) for value in spacing)
        and is_plausible_pixel_size(*spacing)
    ):
        return error("pixel size", f"has pixel_spacing_mm {spacing}, expected two numbers {EXPECTED_PIXEL_SIZE}")
    listed_hc_mm = frame.get("head_circumference_mm")
    if not (isinstance(listed_hc_mm, int | float) and math.isfinite(listed_hc_mm) and listed_hc_mm > 0):
        return error("head circumference", f"has head_circumference_mm {listed_hc_mm}, expected a positive number")
    measured = measure_head(label, (spacing[0], spacing[1]))
    if not isinstance(measured, HeadMeasurement):
        return error("label", measured.reason)
    if abs(measured.head_circumference_mm / listed_hc_mm - 1) > MAX_HC_DIFFERENCE:
        detail = (
            f"the list says HC {listed_hc_mm:.1f} mm, the label measures {measured.head_circumference_mm:.1f} mm: "
            f"more than {MAX_HC_DIFFERENCE:.1%} apart"
        )
        return error("head circumference", detail)
    return []
