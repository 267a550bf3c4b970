"""Frames with image-level labels: the visible classes, and their boxes if they are annotated."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from fetal_monai.data.anatomical_class import LabelError, parse_labels
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import blank_pixels
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.preparation.identical_frames import identical_frames, pixel_digest
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.files.csv_table import Row
from fetal_monai.files.name_matching import listed_name
from fetal_monai.geometry import Box

SECTOR_FIELDS = ("apex_x", "apex_y", "start_radius", "end_radius", "start_angle_rad", "end_angle_rad")
"""Fields of the sector of a curved probe: px of the frame, angles from straight down (+y) towards the right (+x)."""


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """Label of one frame in a data set, not yet checked.

    Attributes:
        filename: Path of the frame relative to the folder of the images.
        labels: Classes, separated by commas.
        patient: Identifier of the patient.
        boxes: Rows with "label" and the fields of `Box`.
        sector: Values by the names of `SECTOR_FIELDS`; other names are ignored.
    """

    filename: str
    labels: str
    patient: str
    boxes: Sequence[Row] = ()
    sector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One usable frame with its classes.

    Attributes:
        image: Path of the ultrasound frame.
        filename: The same, relative to the folder of the images.
        labels: Classes in the order of `ANATOMICAL_CLASSES`.
        patient: Identifier of the patient.
        boxes: Boxes by class, px; empty if none are annotated.
        sector: Numbers by the names of `SECTOR_FIELDS`; empty if unknown.
        pixels_sha256: Digest of the pixels, equal for identical frames.
    """

    image: Path
    filename: str
    labels: tuple[str, ...]
    patient: str
    boxes: dict[str, Box]
    sector: dict[str, float]
    pixels_sha256: str


def inspect_entries(images: Path, entries: Sequence[LabelEntry], filenames: Iterable[str]) -> Inspection[LabelledFrame]:
    """Match entries with images and check both.

    Checked: entries without an image and images without an entry, frames named by several entries, readable frames that
    are not blank, labels, patients, boxes within the frame, and pixel-identical frames. Identical frames of several
    patients are reported, and these patients stay together in every split; identical frames with different labels are
    left out.

    Args:
        images: Folder of the images.
        entries: One per frame.
        filenames: The existing images, relative to `images`.
    """
    name_on_disk = {listed_name(name): name for name in filenames}
    entries = [
        replace(entry, filename=name_on_disk.get(listed_name(entry.filename), entry.filename)) for entry in entries
    ]
    count_of = Counter(entry.filename for entry in entries)
    frames: list[LabelledFrame] = []
    problems: list[Problem] = []
    for entry in tqdm(entries, desc="Reading frames", unit="frame"):
        # Several entries of one frame are reported once.
        count, count_of[entry.filename] = count_of[entry.filename], 0
        try:
            if count == 1:
                frames.append(_checked(images, entry))
            elif count > 1:
                raise LabelError(f"{count} rows name this frame; keep one of them.")
        except (LabelError, FrameError, OSError) as problem:
            reason = str(problem).removeprefix(f"{images / entry.filename}: ")
            problems.append(Problem("error", "label", entry.filename, reason))
    problems += [
        Problem("error", "label", name, "no label names this image; add a row or remove the image.")
        for name in name_on_disk.values()
        if name not in count_of
    ]
    frames, contradictions = _without_contradictions(frames)
    problems += contradictions
    problems += identical_frames((frame.filename, frame.patient, frame.pixels_sha256) for frame in frames)
    return Inspection(frames, problems)


def _checked(images: Path, entry: LabelEntry) -> LabelledFrame:
    labels = parse_labels(entry.labels)
    if not entry.patient:
        raise LabelError(
            "no patient is known, so the frame could leak from one fold into another; add a column 'patient' or give "
            "a pattern that finds the patient in the file's name."
        )
    path = images / entry.filename
    if not path.is_file():
        raise LabelError("the image does not exist; correct the name or remove the row.")
    pixels = read_frame(path).pixels
    if problem := blank_pixels(pixels):
        raise FrameError(f"{problem} Export the frame again.")
    height, width = pixels.shape
    return LabelledFrame(
        image=path.resolve(),
        filename=entry.filename,
        labels=labels,
        patient=entry.patient,
        boxes=_boxes(entry.boxes, labels, width, height),
        sector=_sector(entry.sector),
        pixels_sha256=pixel_digest(pixels),
    )


def _boxes(rows: Sequence[Row], labels: tuple[str, ...], width: int, height: int) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for row in rows:
        (name,) = parse_labels(row["label"])
        if name not in labels:
            raise LabelError(f"has a box of '{name}', but its labels are {', '.join(labels)}; correct one of them.")
        if name in boxes:
            raise LabelError(f"has two boxes of '{name}'; keep the one that encloses all of it.")
        box = Box(*(_number(key, row[key]) for key in Box._fields))
        if not (0 <= box.x_min < box.x_max <= width and 0 <= box.y_min < box.y_max <= height):
            raise LabelError(
                f"the box of '{name}' is {tuple(box)}; expected 0 <= x_min < x_max <= {width} and "
                f"0 <= y_min < y_max <= {height}, px."
            )
        boxes[name] = box
    return boxes


def _sector(stated: Mapping[str, str]) -> dict[str, float]:
    if not any(stated.get(key) for key in SECTOR_FIELDS):
        return {}
    return {key: _number(key, stated.get(key, "")) for key in SECTOR_FIELDS}


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise LabelError(f"{key} is '{text}'; expected a finite number.")
    return number


def _without_contradictions(frames: list[LabelledFrame]) -> tuple[list[LabelledFrame], list[Problem]]:
    """Leave out identical frames whose labels differ: it is unknown which are correct."""
    first_of: dict[str, LabelledFrame] = {}
    others_of: dict[str, list[LabelledFrame]] = defaultdict(list)
    for frame in frames:
        first = first_of.setdefault(frame.pixels_sha256, frame)
        if frame.labels != first.labels:
            others_of[frame.pixels_sha256].append(frame)
    problems = [
        Problem(
            "error",
            "identical frames",
            frame.filename,
            f"is the same image as another one, but their labels differ: {first_of[digest].filename} is "
            f"{', '.join(first_of[digest].labels)}, "
            + "; ".join(f"{other.filename} is {', '.join(other.labels)}" for other in others)
            + ". Correct the labels.",
        )
        for digest, others in others_of.items()
        for frame in frames
        if frame.pixels_sha256 == digest
    ]
    return [frame for frame in frames if frame.pixels_sha256 not in others_of], problems
