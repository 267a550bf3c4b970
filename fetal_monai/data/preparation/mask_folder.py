"""A folder of images and a folder of masks, matched and checked, ready to be prepared for training."""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fetal_monai.biometry import Ellipse, HeadMeasurement, measure_head
from fetal_monai.data.frame_collection import collect_frames
from fetal_monai.data.frame_files import natural_key
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.frame import Spacing
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.io.suffix import frame_suffix
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame, implausible_head
from fetal_monai.data.preparation.drawn_mask import read_drawn_mask
from fetal_monai.data.preparation.identical_frames import identical_frames, pixel_digest
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.name_pattern import LEADING_NUMBER, find_in_name
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.files.name_matching import composed
from fetal_monai.geometry import spacing_at, ultrasound_regions_from_text
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.report_files import frame_name


def inspect_mask_folder(
    images: str | Path,
    masks: str | Path,
    exam_pattern: re.Pattern[str] = LEADING_NUMBER,
    pixel_spacing_mm: float | Sequence[float] | None = None,
    table: str | Path | None = None,
) -> Inspection[AnnotatedFrame]:
    """Match each image with its mask, and check both.

    The mask of `NAME.png` is `NAME` or `NAME_mask` in any format, in the same subfolder of `masks`.

    Checked: images and masks that are missing, unreadable or of different sizes; masks as `read_drawn_mask`; a mask
    that `measure_head` can measure and that can be a head (see `implausible_head`); pixel-identical frames (a warning
    within one exam, an error across exams).

    Args:
        images: Folder with the images, in subfolders too.
        masks: Folder with the masks. It may be the same folder, if their names end in `_mask`.
        exam_pattern: Searched in the path of an image below `images`; the first group, or the whole match when it has
            no group, is the exam.
        pixel_spacing_mm: As in `collect_frames`.
        table: As in `collect_frames`. A frame without any spacing has no size in mm.

    Raises:
        FileNotFoundError: A folder or the table does not exist.
        ValueError: As `collect_frames`.
    """
    images, masks = Path(images).resolve(), Path(masks).resolve()
    for folder in (images, masks):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder; give the folder of the images and that of the masks.")
    collection = collect_frames(images, pixel_spacing_mm, table)
    masks_by_name = _files_by_name(masks)

    frames: list[AnnotatedFrame] = []
    problems = [Problem("error", "image", frame_name(each.file, images), each.reason) for each in collection.rejected]
    of_images = {mask for each in collection.rejected for mask in _masks_of(each.file, images, masks_by_name)}
    for item in tqdm(collection.frames, desc="Reading masks", unit="mask"):
        image = Path(item["image"])
        found = _masks_of(image, images, masks_by_name)
        of_images.update(found)
        try:
            frames.append(_annotated_frame(item, image, frame_name(image, images), found, exam_pattern))
        except (FrameError, OSError) as problem:
            reason = str(problem).replace(f"{masks}{os.sep}", "").replace(f"{images}{os.sep}", "")
            problems.append(Problem("error", "mask", frame_name(image, images), reason))
    problems += [
        Problem("error", "mask", frame_name(mask, masks), f"no image in {images} has this mask; rename one of the two.")
        for mask in sorted(set().union(*masks_by_name.values()) - of_images, key=natural_key)
        if masks != images
    ]
    problems += identical_frames((frame.filename, frame.exam, frame.pixels_sha256) for frame in frames)
    return Inspection(frames, problems)


def _files_by_name(folder: Path) -> dict[str, list[Path]]:
    """The images in a folder and its subfolders, by their path in it without suffix."""
    files = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and frame_suffix(path) and not any(part.startswith(".") for part in name.parts):
            files[_without_suffix(name)].append(path)
    return files


def _masks_of(image: Path, images: Path, masks_by_name: Mapping[str, Sequence[Path]]) -> list[Path]:
    """The masks that an image may have by their names."""
    name = _without_suffix(image.relative_to(images))
    # An inference names the mask of scan.jpg scan_jpg_mask.png.
    names = (name, f"{name}_mask", f"{name}_{(frame_suffix(image) or '').replace('.', '')}_mask")
    return [mask for name in names for mask in masks_by_name.get(name, ()) if mask != image]


def _without_suffix(name: Path) -> str:
    text, suffix = composed(name.as_posix()), frame_suffix(name) or ""
    return text[: len(text) - len(suffix)] if text.lower().endswith(suffix) else text


def _annotated_frame(
    item: Mapping[str, Any], image: Path, name: str, masks: Sequence[Path], exam_pattern: re.Pattern[str]
) -> AnnotatedFrame:
    """Check an image and its mask.

    Raises:
        FrameError: The image has no mask or several, no exam, or a mask that does not fit or cannot be a head.
    """
    if len(masks) != 1:
        found = f"has several masks ({', '.join(map(str, masks))}); keep one" if masks else "has no mask; draw it"
        raise FrameError(f"{found}, or remove the image.")
    exam = find_in_name(exam_pattern, name)
    if not exam:
        raise FrameError(
            f"the exam pattern '{exam_pattern.pattern}' finds no exam in the name '{name}'; give another pattern: "
            "frames of one exam must not be in different sections ('.+' makes every image an exam)."
        )
    pixels, mask = read_frame(image).pixels, read_drawn_mask(masks[0])
    if mask.shape != pixels.shape:
        sizes = "image {1}x{0}, mask {3}x{2} px".format(*pixels.shape, *mask.shape)
        raise FrameError(f"image and mask differ in size: {sizes}; save the mask in the size of the image.")
    head = measure_head(mask)
    if not isinstance(head, HeadMeasurement):
        raise FrameError(f"{masks[0]}: {head.reason}. Draw the mask again.")
    shape = (mask.shape[0], mask.shape[1])
    spacing = _pixel_spacing(item, head.ellipse_px, shape)
    if problem := implausible_head(head.ellipse_px, shape, spacing):
        raise FrameError(f"{masks[0]}: {problem}")
    return AnnotatedFrame(
        image=image,
        filename=name,
        mask_name=output_path(name, None, Path(name).parent, "", ".png").as_posix(),
        shape=shape,
        exam=exam,
        ellipse_px=head.ellipse_px,
        pixel_spacing_mm=spacing,
        head_circumference_mm=spacing and HeadMeasurement(head.ellipse_px, spacing).head_circumference_mm,
        pixels_sha256=pixel_digest(pixels),
        mask_file=masks[0],
    )


def _pixel_spacing(item: Mapping[str, Any], ellipse: Ellipse, shape: tuple[int, int]) -> Spacing | None:
    """The frame's spacing, or that of the DICOM region that contains the ellipse; None when unknown."""
    if regions := ultrasound_regions_from_text(item["ultrasound_regions"]):
        spacing = spacing_at(ellipse, regions, shape)
        return None if isinstance(spacing, FailedEstimate) else spacing
    row, column = item["pixel_spacing_mm"]
    return None if math.isnan(row) else (row, column)
