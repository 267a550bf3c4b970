"""Read a folder of frames with image-level labels, from a table or from the headers of the frames."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from fetal_monai.data.anatomical_class import LabelError
from fetal_monai.data.frame_files import is_companion, natural_key
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.suffix import frame_suffix
from fetal_monai.data.preparation.header_label import LABELLED_SUFFIXES, read_header_labels
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.labelled_frame import LabelEntry, LabelledFrame, inspect_entries
from fetal_monai.data.preparation.name_pattern import find_in_name
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.files.csv_table import Row, read_csv_table
from fetal_monai.files.name_matching import listed_name
from fetal_monai.geometry import Box

LABELS_TABLE = "labels.csv"
BOXES_TABLE = "boxes.csv"

_LABEL_COLUMNS = ("labels", "label")


def inspect_label_folder(
    source: str | Path, patient_pattern: re.Pattern[str] | None = None
) -> Inspection[LabelledFrame]:
    """Read a folder of labelled frames and check it, see `inspect_entries`.

    If the folder contains `labels.csv`, that table gives the labels: columns ``filename`` (relative to the folder) and
    ``labels`` or ``label`` (several separated by commas, in quotes), optionally ``patient`` and the names of
    `SECTOR_FIELDS`. An optional `boxes.csv` has the columns ``filename``, ``label`` and the fields of `Box`, one row
    per box. Without `labels.csv`, the labels are read from the headers of MetaImage and NIfTI files.

    Args:
        source: The folder; it is searched with all its subfolders, as in inference.
        patient_pattern: Pattern to search for in the file name of a frame whose patient is not in a table; the first
            group, or the whole match if there is no group, is the patient.

    Raises:
        FileNotFoundError: The folder does not exist, or contains neither `labels.csv` nor a file whose header can
            contain a label.
        ValueError: A table lacks a column, or is not a CSV table.
    """
    source = Path(source)
    if not source.is_dir():
        raise FileNotFoundError(f"{source} is not a folder; give the folder of the labelled frames.")
    filenames = _frame_names(source)
    if (source / LABELS_TABLE).is_file():
        entries, problems = _entries_of_table(source, patient_pattern)
        inspection = inspect_entries(source, entries, filenames)
        return Inspection(inspection.frames, problems + inspection.problems)
    if not any(name.lower().endswith(LABELLED_SUFFIXES) for name in filenames):
        raise FileNotFoundError(
            f"{source} holds neither {LABELS_TABLE} nor a file whose header can hold a label "
            f"({', '.join(LABELLED_SUFFIXES)}); write a table with the columns filename, labels and patient."
        )
    return _inspect_headers(source, filenames, patient_pattern)


def _inspect_headers(
    source: Path, filenames: list[str], patient_pattern: re.Pattern[str] | None
) -> Inspection[LabelledFrame]:
    entries: list[LabelEntry] = []
    problems: list[Problem] = []
    for name in filenames:
        try:
            labels = ", ".join(read_header_labels(source / name))
        except (LabelError, FrameError) as problem:
            reason = str(problem).removeprefix(f"{source / name}: ")
            problems.append(Problem("error", "label", name, reason))
        else:
            entries.append(LabelEntry(name, labels, _patient(name, patient_pattern)))
    inspection = inspect_entries(source, entries, ())
    return Inspection(inspection.frames, problems + inspection.problems)


def _entries_of_table(source: Path, patient_pattern: re.Pattern[str] | None) -> tuple[list[LabelEntry], list[Problem]]:
    columns, rows = read_csv_table(source / LABELS_TABLE)
    label_columns = [name for name in _LABEL_COLUMNS if name in columns]
    if "filename" not in columns or len(label_columns) != 1:
        raise ValueError(
            f"{source / LABELS_TABLE}: has the columns {columns}; expected 'filename' and one of {_LABEL_COLUMNS}, "
            "separated by commas."
        )
    boxes = _boxes_by_filename(source / BOXES_TABLE)
    entries: list[LabelEntry] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=1):
        if name := listed_name(row["filename"]):
            patient = row.get("patient") or _patient(name, patient_pattern)
            entries.append(LabelEntry(name, row[label_columns[0]], patient, boxes.get(name, ()), row))
        else:
            reason = f"row {number} has no file name; fill it in or delete the row."
            problems.append(Problem("error", "label", LABELS_TABLE, reason))
    for name in sorted(boxes.keys() - {entry.filename for entry in entries}):
        reason = f"has a box of '{name}', which {LABELS_TABLE} does not name; correct one of them."
        problems.append(Problem("error", "box", BOXES_TABLE, reason))
    return entries, problems


def _boxes_by_filename(table: Path) -> dict[str, list[Row]]:
    boxes: dict[str, list[Row]] = defaultdict(list)
    if table.is_file():
        for row in read_csv_table(table, required=("filename", "label", *Box._fields))[1]:
            boxes[listed_name(row["filename"])].append(row)
    return boxes


def _frame_names(source: Path) -> list[str]:
    names = []
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        suffix = frame_suffix(path)
        if suffix is None or not path.is_file() or any(part.startswith(".") for part in relative.parts):
            continue
        if not is_companion(path, suffix):
            names.append(relative.as_posix())
    return sorted(names, key=natural_key)


def _patient(filename: str, pattern: re.Pattern[str] | None) -> str:
    return find_in_name(pattern, Path(listed_name(filename)).name) if pattern else ""
