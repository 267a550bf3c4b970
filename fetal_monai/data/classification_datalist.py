"""Read the data list of a data set for classification, fold by fold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES, LabelError, parse_labels
from fetal_monai.data.datalist import (
    CLASSIFICATION_KEYS,
    DATALIST_NAME,
    check_not_empty,
    frames_of_section,
    read_datalist,
    resolve_files,
)


def load_classification_datalist(dataset_dir: str | Path, section: str, fold: int = 0) -> list[dict[str, Any]]:
    """List the frames of one section of one fold of a data set that was prepared for classification.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        section: "training", "validation" or "test".
        fold: The fold that is the test section; the next fold is the validation section.

    Returns:
        One dictionary per frame, whose values a data loader can collate: "image" (absolute path), "labels" (classes,
        separated by commas), "target" (float32 (7,): 1 for every visible class, in the order of `ANATOMICAL_CLASSES`),
        "boxes" (float32 (7, 4): a `Box` of each class, px, NaN where no box is known), "patient", and "sector"
        (numbers by the names of `SECTOR_FIELDS`) if it is known.

    Raises:
        FileNotFoundError: The data list, or a file that it names, does not exist.
        ValueError: The data list is not JSON, malformed or made for segmentation, or contains an unknown label; or the
            section or fold does not exist or is empty.
    """
    folder = Path(dataset_dir).resolve()
    listed = frames_of_section(folder, read_datalist(folder, CLASSIFICATION_KEYS), section, fold)
    check_not_empty(folder, section, listed, CLASSIFICATION_KEYS)
    try:
        return [_item(resolve_files(folder, section, frame, CLASSIFICATION_KEYS)) for frame in listed]
    except LabelError as error:
        raise LabelError(f"{folder / DATALIST_NAME}: {error}") from error


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
