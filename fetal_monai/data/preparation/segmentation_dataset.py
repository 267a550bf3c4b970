"""Write a data set for segmentation: filled masks, a data list split by exam, and a list of rejected files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from fetal_monai.data.datalist import DATALIST_NAME, SECTIONS
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame
from fetal_monai.data.preparation.datalist_writer import listed_path, write_datalist
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
) -> Path:
    """Write masks, a data list and a list of the rejected files.

    Writes `labels/<mask_name>` (0 background, 255 head: the ellipse, filled), `datalist.json` and `rejected.csv`.
    The images are not copied.

    Args:
        inspection: The checked frames.
        description: Facts about the data set for the data list, such as "name" and "licence".
        output_dir: Folder for the result; it is created if it does not exist.
        seed: Seed of the split; the same seed always gives the same split.
        fractions: Fractions of the exams for training, validation and test; positive, with the sum 1.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: The fractions are wrong, no frame is usable, there are fewer than three exams, or the images
            are in the folder of the masks.
    """
    inspection.check_usable()
    sections = split_by_exam(inspection.frames, seed, fractions)

    output_dir = Path(output_dir).resolve()
    masks = output_dir / _MASKS_FOLDER
    if any(frame.image.parent == masks for frame in inspection.frames):
        raise ValueError(f"The images are in {masks}, where masks would replace them. Choose another output_dir.")
    # Remove an earlier list: it must not refer to labels that are being replaced.
    (output_dir / DATALIST_NAME).unlink(missing_ok=True)
    for frame in tqdm(inspection.frames, desc="Writing labels", unit="frame"):
        mask = frame.ellipse_px.rasterise(frame.shape)
        with atomic_path(_mask_path(output_dir, frame)) as temporary:
            Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)
    write_rejected(output_dir, inspection.left_out)

    return write_datalist(
        output_dir,
        description,
        class_names=("background", "head"),
        split={"seed": seed, "fractions": dict(zip(SECTIONS, fractions, strict=True))},
        sections={section: [_entry(output_dir, frame) for frame in sections[section]] for section in SECTIONS},
    )


def _mask_path(output_dir: Path, frame: AnnotatedFrame) -> Path:
    return output_dir / _MASKS_FOLDER / frame.mask_name


def _entry(output_dir: Path, frame: AnnotatedFrame) -> dict[str, object]:
    return {
        "image": listed_path(frame.image, output_dir),
        "label": listed_path(_mask_path(output_dir, frame), output_dir),
        "pixel_spacing_mm": list(frame.pixel_spacing_mm),
        "exam": frame.exam,
        "head_circumference_mm": frame.head_circumference_mm,
    }
