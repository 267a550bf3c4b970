"""The data list for classification: written from checked frames, read fold by fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES, LabelError, parse_labels
from fetal_monai.data.datalist import (
    CLASSIFICATION_KEYS,
    DATALIST_NAME,
    SECTIONS,
    check_not_empty,
    read_datalist,
    resolve_files,
)
from fetal_monai.data.preparation.folds import folds_by_patient
from fetal_monai.data.preparation.labelled_frame import LabelInspection, LabelledFrame
from fetal_monai.data.preparation.problem import write_rejected
from fetal_monai.files import atomic_path


def write_classification_datalist(
    inspection: LabelInspection, description: Mapping[str, str], output_dir: str | Path, folds: int = 5, seed: int = 0
) -> Path:
    """Write `datalist.json` with frames, classes and folds, and `rejected.csv`. The images stay where they are.

    The sections are those of fold 0: it is the test section, fold 1 the validation section, and the other folds the
    training section. `load_classification_datalist` turns them round for another fold.

    Args:
        inspection: The frames, and what is wrong with the others.
        description: What the data list says of the data set, such as "name" and "licence".
        output_dir: Folder for the result; made when it does not exist.
        folds: Number of folds, 3 or more.
        seed: Another seed gives other folds; the same seed always the same ones.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: No frame is usable, or as `folds_by_patient`.
    """
    if not inspection.frames:
        reasons = "".join(f"\n  {finding.file}: {finding.detail}" for finding in inspection.left_out[:5])
        raise ValueError(f"No usable frame in the data set ({len(inspection.left_out)} left out).{reasons}")
    fold_of_frame = folds_by_patient(inspection.frames, folds, seed)

    output_dir = Path(output_dir).resolve()
    write_rejected(output_dir, inspection.left_out)
    sections: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS}
    for frame, fold in zip(inspection.frames, fold_of_frame, strict=True):
        sections[_section(fold, 0, folds)].append(_entry(output_dir, frame, fold))
    content = {
        **description,
        "tensorImageSize": "2D",
        "modality": {"0": "US"},
        "labels": {str(index): name for index, name in enumerate(ANATOMICAL_CLASSES)},
        "seed": seed,
        "folds": folds,
        **{f"num{section.capitalize()}": len(sections[section]) for section in SECTIONS},
        **sections,
    }
    datalist = output_dir / DATALIST_NAME
    with atomic_path(datalist) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return datalist


def load_classification_datalist(dataset_dir: str | Path, section: str, fold: int = 0) -> list[dict[str, Any]]:
    """List the frames of one section of one fold of a data set that was prepared for classification.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        section: "training", "validation" or "test".
        fold: Which fold is the test section; the next one is the validation section.

    Returns:
        One dictionary a frame, whose values a data loader can collate: "image" (absolute path), "labels" (classes,
        separated by commas), "target" (float32 (7,): 1 for every class in sight, in the order of
        `ANATOMICAL_CLASSES`), "boxes" (float32 (7, 4): a `Box` of each class, px, NaN where no box is
        known), "patient", and "sector" (numbers by the names of `SECTOR_FIELDS`) where it is known.

    Raises:
        FileNotFoundError: There is no data list, or it names a file that is gone.
        ValueError: The data list is no JSON, malformed or made for segmentation, holds an unknown label, or there is no
            such section or fold, or no frame in it.
    """
    folder = Path(dataset_dir).resolve()
    if section not in SECTIONS:
        raise ValueError(f"A data list has no section '{section}', expected one of {SECTIONS}.")
    content = read_datalist(folder, CLASSIFICATION_KEYS)
    folds = content.get("folds", 0)
    if fold not in range(folds):
        raise ValueError(f"{folder / DATALIST_NAME}: has no fold {fold}, expected 0 to {folds - 1}.")
    listed = [frame for name in SECTIONS for frame in content[name] if _section(frame["fold"], fold, folds) == section]
    check_not_empty(folder, section, listed, CLASSIFICATION_KEYS)
    try:
        return [_item(resolve_files(folder, section, frame, CLASSIFICATION_KEYS)) for frame in listed]
    except LabelError as error:
        raise LabelError(f"{folder / DATALIST_NAME}: {error}") from error


def _section(fold: int, test_fold: int, folds: int) -> str:
    training, validation, test = SECTIONS
    return {0: test, 1: validation}.get((fold - test_fold) % folds, training)


def _entry(output_dir: Path, frame: LabelledFrame, fold: int) -> dict[str, Any]:
    image = frame.image
    return {
        "image": (image.relative_to(output_dir) if image.is_relative_to(output_dir) else image).as_posix(),
        "labels": list(frame.labels),
        "patient": frame.patient,
        "fold": fold,
        **({"boxes": {name: list(box) for name, box in frame.boxes.items()}} if frame.boxes else {}),
        **({"sector": frame.sector} if frame.sector else {}),
    }


def _item(frame: dict[str, Any]) -> dict[str, Any]:
    labels = parse_labels(",".join(frame["labels"]))
    boxes = frame.get("boxes", {})
    unknown = (np.nan,) * 4
    item = {
        "image": frame["image"],
        "labels": ", ".join(labels),
        "target": np.array([name in labels for name in ANATOMICAL_CLASSES], dtype=np.float32),
        "boxes": np.array([boxes.get(name, unknown) for name in ANATOMICAL_CLASSES], dtype=np.float32),
        "patient": frame["patient"],
    }
    return {**item, "sector": frame["sector"]} if "sector" in frame else item
