"""Match images with ellipse labels and check both, before they are prepared for training."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tqdm import tqdm

from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data.frame_files import is_companion, natural_key
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Frame, Spacing
from fetal_monai.data.io.suffix import frame_suffix
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame, implausible_head
from fetal_monai.data.preparation.ellipse_label import (
    EllipseLabel,
    EllipseLabelError,
    read_ellipse_label,
    read_labelled_frame,
)
from fetal_monai.data.preparation.identical_frames import identical_frames, pixel_digest
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.name_pattern import LEADING_NUMBER, find_in_name
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files.name_matching import composed
from fetal_monai.geometry import spacing_at


def inspect_ellipse_labels(
    images: str | Path, labels: str | Path, exam_pattern: re.Pattern[str] = LEADING_NUMBER
) -> Inspection[AnnotatedFrame]:
    """Match each label with the image that it names and check both.

    Checked: labels against the schema; images that are missing, unreadable, of another size than their label says,
    without label, or labelled twice; pixel spacing, if any (the label's, else the image file's own); an ellipse that
    can be a head (see `implausible_head`); pixel-identical frames (a warning within one exam, an error across exams).

    Args:
        images: Folder with the images. Subfolders, hidden files, HC18's outlines (`*_Annotation`), masks and
            overlays (`*_mask`, `*_overlay`) are skipped.
        labels: Folder with the labels, `*.xml`. It may be the same folder.
        exam_pattern: Pattern to search for in the file name of an image; the first group, or the whole match if there
            is no group, is the exam.

    Raises:
        FileNotFoundError: A folder does not exist or contains no labels.
    """
    images, labels = Path(images).resolve(), Path(labels).resolve()
    for folder in (images, labels):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is not a folder; give the folder of the images and that of the labels.")
    label_files = [path for path in _visible_files(labels) if path.suffix.lower() == ".xml"]
    if not label_files:
        raise FileNotFoundError(f"{labels} contains no labels; expected one XML file (*.xml) per image.")

    frames: list[AnnotatedFrame] = []
    problems: list[Problem] = []
    label_of: dict[str, str] = {}
    unreadable: set[str] = set()
    for path in tqdm(label_files, desc="Reading labels", unit="label"):
        label = None
        try:
            label = read_ellipse_label(path)
            first = label_of.setdefault(composed(label.image_name), path.name)
            if first != path.name:
                raise EllipseLabelError(f"names {label.image_name}, which {first} labels already; delete one of them.")
            frames.append(_annotated_frame(images, path.stem, label, exam_pattern))
        except (EllipseLabelError, FrameError, OSError) as problem:
            reason = str(problem).replace(f"{labels}{os.sep}", "").replace(f"{images}{os.sep}", "")
            problems.append(Problem("error", "label", path.name, reason))
            if label is None:
                unreadable.add(composed(path.stem))
    problems += [
        Problem("error", "label", path.name, f"no label in {labels} names this image; draw the ellipse or remove it.")
        for path in _visible_files(images)
        if (suffix := frame_suffix(path)) and not is_companion(path, suffix)
        # The image of a label that cannot be read has already been reported.
        if composed(path.name) not in label_of and composed(path.stem) not in unreadable
    ]
    problems += identical_frames((frame.filename, frame.exam, frame.pixels_sha256) for frame in frames)
    return Inspection(frames, problems)


def _annotated_frame(images: Path, stem: str, label: EllipseLabel, exam_pattern: re.Pattern[str]) -> AnnotatedFrame:
    exam = find_in_name(exam_pattern, label.image_name)
    if not exam:
        raise EllipseLabelError(
            f"the exam pattern '{exam_pattern.pattern}' finds no exam in the image name '{label.image_name}'; "
            "give another pattern or rename the image."
        )
    image, frame = read_labelled_frame(label, images)
    spacing = _pixel_spacing(label, frame)
    if problem := implausible_head(label.ellipse, label.shape, spacing):
        raise EllipseLabelError(problem)
    return AnnotatedFrame(
        image=image,
        filename=image.name,
        mask_name=f"{stem}.png",
        shape=label.shape,
        exam=exam,
        ellipse_px=label.ellipse,
        pixel_spacing_mm=spacing,
        head_circumference_mm=None if spacing is None else label.ellipse.scaled(spacing[1], spacing[0]).perimeter,
        pixels_sha256=pixel_digest(frame.pixels),
    )


def _pixel_spacing(label: EllipseLabel, frame: Frame) -> Spacing | None:
    """The label's, else what the image's header states for the ellipse's place; None when neither states one."""
    spacing = label.pixel_spacing_mm or frame.pixel_spacing_mm
    if label.pixel_spacing_mm is None and frame.ultrasound_regions:
        found = spacing_at(label.ellipse, frame.ultrasound_regions, label.shape)
        if isinstance(found, FailedEstimate):
            raise EllipseLabelError(f"has no <pixel_spacing>, and {found.reason}; add it.")
        spacing = found
    if spacing is not None and not is_plausible_pixel_size(*spacing):
        raise EllipseLabelError(
            f"the pixel spacing is {spacing[0]:g} x {spacing[1]:g} mm (row x column); expected numbers "
            f"{EXPECTED_PIXEL_SIZE}. Correct <pixel_spacing>."
        )
    return spacing


def _visible_files(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(files, key=natural_key)
