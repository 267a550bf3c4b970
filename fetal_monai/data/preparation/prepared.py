"""From frames with an ellipse each to a prepared data set: filled masks, a data list split by exam, rejected files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from fetal_monai.biometry import Ellipse
from fetal_monai.data.datalist import DATALIST_NAME, SECTIONS
from fetal_monai.data.preparation.problem import Problem, write_rejected
from fetal_monai.data.preparation.split import split_by_exam
from fetal_monai.files import atomic_path

_MASKS_FOLDER = "labels"

# HC18's heads, of all trimesters, measure 44 to 346 mm and cover 4 to 56 % of their frames. The largest ellipse that
# lies within a frame covers 79 %.
PLAUSIBLE_HC_MM = (30.0, 450.0)
PLAUSIBLE_COVERAGE = (0.005, 0.9)


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """One frame with all that is known of it.

    Attributes:
        image: Path of the ultrasound frame.
        mask_name: File name that its mask is to have, a PNG.
        shape: (H, W) in px.
        exam: Frames of one exam share it.
        ellipse_px: The ellipse through the annotated outline.
        pixel_spacing_mm: (row, column) spacing.
        head_circumference_mm: The HC to learn and to compare with.
        pixels_sha256: Equal for pixel-identical frames.
    """

    image: Path
    mask_name: str
    shape: tuple[int, int]
    exam: str
    ellipse_px: Ellipse
    pixel_spacing_mm: tuple[float, float]
    head_circumference_mm: float
    pixels_sha256: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a data set holds: the usable frames, and everything that is wrong.

    A frame with an error of its own is not among `frames`; frames that only resemble each other are.
    """

    frames: list[AnnotatedFrame]
    problems: list[Problem]

    @property
    def left_out(self) -> list[Problem]:
        """The problems on files that are not among the usable frames."""
        usable = {frame.image.name for frame in self.frames}
        return [finding for finding in self.problems if finding.level == "error" and finding.file not in usable]


def implausible_head(ellipse_px: Ellipse, shape: tuple[int, int], pixel_spacing_mm: tuple[float, float]) -> str:
    """Why an ellipse cannot be the outline of a fetal head on an image; "" when it can.

    Args:
        ellipse_px: The ellipse on the image.
        shape: (H, W) of the image in px.
        pixel_spacing_mm: (row, column) spacing.
    """
    coverage = float(ellipse_px.rasterise(shape).mean())
    least, most = PLAUSIBLE_COVERAGE
    if not least <= coverage <= most:
        return f"the ellipse covers {coverage:.2%} of the image; expected {least:.1%} to {most:.0%}. Draw it again."
    row_mm, column_mm = pixel_spacing_mm
    hc_mm = ellipse_px.scaled(column_mm, row_mm).perimeter
    smallest, largest = PLAUSIBLE_HC_MM
    if not smallest <= hc_mm <= largest:
        return (
            f"the head circumference of the ellipse is {hc_mm:.1f} mm; expected {smallest:g} to {largest:g} mm. "
            "Correct the pixel spacing or the ellipse."
        )
    return ""


def write_prepared(
    inspection: Inspection,
    description: Mapping[str, str],
    output_dir: str | Path,
    seed: int = 0,
    fractions: Sequence[float] = (0.75, 0.1, 0.15),
) -> Path:
    """Write masks, a data list and a list of what was left out.

    Writes `labels/<mask_name>` (0 background, 255 head: the ellipse, filled), `datalist.json` and `rejected.csv`.
    The images stay where they are.

    Args:
        inspection: The frames, and what is wrong with the others.
        description: What the data list says of the data set, such as "name" and "licence".
        output_dir: Folder for the result; made when it does not exist.
        seed: Another seed gives another split; the same seed always the same one.
        fractions: Parts of the exams for training, validation and test; positive, sum 1.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: The fractions are wrong, no frame is usable, there are fewer than three exams, or the images lie
            where the masks shall.
    """
    if not inspection.frames:
        reasons = "".join(f"\n  {finding.file}: {finding.detail}" for finding in inspection.left_out[:5])
        raise ValueError(f"No usable frame in the data set ({len(inspection.left_out)} left out).{reasons}")
    sections = split_by_exam(inspection.frames, seed, fractions)

    output_dir = Path(output_dir).resolve()
    masks = output_dir / _MASKS_FOLDER
    if any(frame.image.parent == masks for frame in inspection.frames):
        raise ValueError(f"The images lie in {masks}, where masks would replace them. Choose another output_dir.")
    datalist = output_dir / DATALIST_NAME
    # An earlier list must not describe labels that are being replaced.
    datalist.unlink(missing_ok=True)
    for frame in tqdm(inspection.frames, desc="Writing labels", unit="frame"):
        mask = frame.ellipse_px.rasterise(frame.shape)
        with atomic_path(_mask_path(output_dir, frame)) as temporary:
            Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)
    write_rejected(output_dir, inspection.left_out)

    content = {
        **description,
        "tensorImageSize": "2D",
        "modality": {"0": "US"},
        "labels": {"0": "background", "1": "head"},
        "seed": seed,
        "fractions": dict(zip(SECTIONS, fractions, strict=True)),
        **{f"num{section.capitalize()}": len(sections[section]) for section in SECTIONS},
        **{section: [_entry(output_dir, frame) for frame in sections[section]] for section in SECTIONS},
    }
    with atomic_path(datalist) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return datalist


def _mask_path(output_dir: Path, frame: AnnotatedFrame) -> Path:
    return output_dir / _MASKS_FOLDER / frame.mask_name


def _entry(output_dir: Path, frame: AnnotatedFrame) -> dict[str, object]:
    image = frame.image
    return {
        "image": (image.relative_to(output_dir) if image.is_relative_to(output_dir) else image).as_posix(),
        "label": _mask_path(output_dir, frame).relative_to(output_dir).as_posix(),
        "pixel_spacing_mm": list(frame.pixel_spacing_mm),
        "exam": frame.exam,
        "head_circumference_mm": frame.head_circumference_mm,
    }
