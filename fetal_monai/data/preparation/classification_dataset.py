"""Write a data set for classification: a data list with classes and folds, and a list of rejected files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.data.datalist import SECTIONS, section_of_fold
from fetal_monai.data.preparation.datalist_writer import listed_path, write_datalist
from fetal_monai.data.preparation.folds import folds_by_patient
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.labelled_frame import LabelledFrame
from fetal_monai.data.preparation.problem import write_rejected


def write_classification_datalist(
    inspection: Inspection[LabelledFrame],
    description: Mapping[str, str],
    output_dir: str | Path,
    folds: int = 5,
    seed: int = 0,
) -> Path:
    """Write `datalist.json` with frames, classes and folds, and `rejected.csv`. The images are not copied.

    The sections are those of fold 0: it is the test section, fold 1 the validation section, and the other folds the
    training section. `load_classification_datalist` assigns them for any other fold.

    Args:
        inspection: The checked frames.
        description: Facts about the data set for the data list, such as "name" and "licence".
        output_dir: Folder for the result; it is created if it does not exist.
        folds: Number of folds, 3 or more.
        seed: Seed of the folds; the same seed always gives the same folds.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: No frame is usable, or there are too few folds or patients, see `folds_by_patient`.
    """
    inspection.check_usable()
    fold_of_frame = folds_by_patient(
        [(frame.patient, frame.pixels_sha256) for frame in inspection.frames],
        [[name in frame.labels for name in ANATOMICAL_CLASSES] for frame in inspection.frames],
        folds,
        seed,
    )

    output_dir = Path(output_dir).resolve()
    write_rejected(output_dir, inspection.left_out)
    sections: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS}
    for frame, fold in zip(inspection.frames, fold_of_frame, strict=True):
        sections[section_of_fold(fold, 0, folds)].append(_entry(output_dir, frame, fold))
    return write_datalist(
        output_dir, description, ANATOMICAL_CLASSES, split={"seed": seed, "folds": folds}, sections=sections
    )


def _entry(output_dir: Path, frame: LabelledFrame, fold: int) -> dict[str, Any]:
    return {
        "image": listed_path(frame.image, output_dir),
        "labels": list(frame.labels),
        "patient": frame.patient,
        "fold": fold,
        **({"boxes": {name: list(box) for name, box in frame.boxes.items()}} if frame.boxes else {}),
        **({"sector": frame.sector} if frame.sector else {}),
    }
