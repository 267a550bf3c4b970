"""Write a data set for segmentation: filled masks, a data list split by exam, and a list of rejected files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from fetal_monai.data.datalist import DATALIST_NAME, SECTIONS, section_of_fold
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame
from fetal_monai.data.preparation.datalist_writer import listed_path, write_datalist
from fetal_monai.data.preparation.folds import folds_by_patient
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.problem import write_rejected
from fetal_monai.data.preparation.split import split_by_exam
from fetal_monai.files import atomic_path

_MASKS_FOLDER = "labels"


def write_segmentation_dataset(
    inspection: Inspection[AnnotatedFrame],
    description: Mapping[str, str],
    output_dir: str | Path,
    seed: int = 0,
    fractions: Sequence[float] = (0.75, 0.1, 0.15),
    folds: int | None = None,
) -> Path:
    """Write masks, a data list and a list of the rejected files.

    Writes `labels/<mask_name>` (0 background, 255 head), `datalist.json` and `rejected.csv`.
    The images stay where they are.

    Args:
        inspection: The checked frames.
        description: Facts about the data set for the data list, such as "name" and "licence".
        output_dir: Folder for the result; it is created if it does not exist.
        seed: Seed of the split; the same seed always gives the same split.
        fractions: Fractions of the exams for training, validation and test; positive, with the sum 1.
        folds: Number of folds for a cross-validation, 3 or more; the fractions are then not used, and the sections are
            those of fold 0. `load_datalist` assigns them for any other fold.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: The fractions are wrong, no frame is usable, there are too few exams, or images or annotated masks
            are in the folder of the masks.
        FrameError: An annotated mask can no longer be read.
    """
    inspection.check_usable()
    split: dict[str, Any] = {"seed": seed}
    fold_of: dict[str, int] = {}
    if folds is None:
        sections = split_by_exam(inspection.frames, seed, fractions)
        split["fractions"] = dict(zip(SECTIONS, fractions, strict=True))
    else:
        fold_of = _fold_of_frame(inspection.frames, folds, seed)
        in_section = {name: section_of_fold(fold, 0, folds) for name, fold in fold_of.items()}
        sections = {
            section: [frame for frame in inspection.frames if in_section[frame.filename] == section]
            for section in SECTIONS
        }
        split["folds"] = folds

    output_dir = Path(output_dir).resolve()
    masks = output_dir / _MASKS_FOLDER
    annotations = {path for frame in inspection.frames for path in (frame.image, frame.mask_file) if path is not None}
    if any(masks in path.parents for path in annotations):
        raise ValueError(
            f"{masks} holds images or masks, which the new masks would replace. Choose another output_dir."
        )
    # An earlier list must not describe labels that are being replaced.
    (output_dir / DATALIST_NAME).unlink(missing_ok=True)
    for frame in tqdm(inspection.frames, desc="Writing labels", unit="frame"):
        mask = frame.mask()
        with atomic_path(_mask_path(output_dir, frame)) as temporary:
            Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)
    write_rejected(output_dir, inspection.left_out)

    return write_datalist(
        output_dir,
        description,
        class_names=("background", "head"),
        split=split,
        sections={
            section: [_entry(output_dir, frame, fold_of.get(frame.filename)) for frame in sections[section]]
            for section in SECTIONS
        },
    )


def _fold_of_frame(frames: Sequence[AnnotatedFrame], folds: int, seed: int) -> dict[str, int]:
    owners = [(frame.exam, frame.pixels_sha256) for frame in frames]
    assigned = folds_by_patient(owners, [[1]] * len(frames), folds, seed)
    return {frame.filename: fold for frame, fold in zip(frames, assigned, strict=True)}


def _mask_path(output_dir: Path, frame: AnnotatedFrame) -> Path:
    return output_dir / _MASKS_FOLDER / frame.mask_name


def _entry(output_dir: Path, frame: AnnotatedFrame, fold: int | None) -> dict[str, object]:
    return {
        "image": listed_path(frame.image, output_dir),
        "label": listed_path(_mask_path(output_dir, frame), output_dir),
        **({} if frame.pixel_spacing_mm is None else {"pixel_spacing_mm": list(frame.pixel_spacing_mm)}),
        "exam": frame.exam,
        **({} if frame.head_circumference_mm is None else {"head_circumference_mm": frame.head_circumference_mm}),
        **({} if fold is None else {"fold": fold}),
    }
