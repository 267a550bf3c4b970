"""Read a prepared data set: its sections, and a fingerprint of its content."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.files.checksum import file_sha256

DATALIST_NAME = "datalist.json"
SECTIONS = ("training", "validation", "test")

SEGMENTATION_KEYS = ("image", "label", "exam")
CLASSIFICATION_KEYS = ("image", "labels", "patient", "fold")

_PREPARE_HINTS = {
    SEGMENTATION_KEYS: "Prepare the data set in a checkout of fetal_monai: python -m data_prep.hc18 --source "
    "HC18_FOLDER --output_dir {folder} (or, from own images and masks: python -m data_prep.mask_folder).",
    CLASSIFICATION_KEYS: "Prepare the data set in a checkout of fetal_monai: python -m data_prep.fetal_planes --source "
    "FOLDER --output_dir {folder}",
}


def load_datalist(dataset_dir: str | Path, section: str, fold: int | None = None) -> list[dict[str, Any]]:
    """List the frames of one section of a prepared data set.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        section: "training", "validation" or "test".
        fold: Which fold of a cross-validation is the test section; the next one is the validation section. None: the
            sections as the data list has them.

    Returns:
        One dictionary a frame: "image" and "label" (absolute paths), "pixel_spacing_mm" [row, column] and
        "head_circumference_mm" (NaN when unknown), "exam", and "fold" in a data set with folds.

    Raises:
        FileNotFoundError: There is no data list, or it names a file that does not exist.
        ValueError: The data list is not JSON or malformed, or `section` is none of the three or empty, or there is no
            such fold.
    """
    folder = Path(dataset_dir).resolve()
    frames = frames_of_section(folder, read_datalist(folder), section, fold)
    check_not_empty(folder, section, frames, SEGMENTATION_KEYS)
    return [_with_scale(folder, resolve_files(folder, section, frame, SEGMENTATION_KEYS)) for frame in frames]


def frames_of_section(folder: Path, content: dict[str, Any], section: str, fold: int | None) -> list[dict[str, Any]]:
    """The frames of one section as the data list has them.

    Args:
        folder: The folder that holds `datalist.json`, for the message.
        content: The data list.
        section: "training", "validation" or "test".
        fold: Which fold is the test section; None: the sections as the data list has them.

    Raises:
        ValueError: There is no such section or fold.
    """
    if section not in SECTIONS:
        raise ValueError(f"A data list has no section '{section}', expected one of {SECTIONS}.")
    if fold is None:
        listed: list[dict[str, Any]] = content[section]
        return listed
    folds = content.get("folds", 0)
    if fold not in range(folds):
        expected = f"expected 0 to {folds - 1}" if folds else "and no folds at all: prepare the data set with --folds"
        raise ValueError(f"{folder / DATALIST_NAME}: has no fold {fold}, {expected}.")
    listed = [frame for name in SECTIONS for frame in content[name]]
    return [frame for frame in listed if section_of_fold(frame["fold"], fold, folds) == section]


def section_of_fold(fold: int, test_fold: int, folds: int) -> str:
    """The section of a fold: `test_fold` is the test section, the fold after it validation, the others training.

    Args:
        fold: The fold, from 0.
        test_fold: The fold that tests.
        folds: Number of folds.
    """
    training, validation, test = SECTIONS
    return {0: test, 1: validation}.get((fold - test_fold) % folds, training)


def fingerprint(dataset_dir: str | Path) -> str:
    """Compute a short SHA-256 over the split and the content of every image and label (masks or classes).

    Moving the folder does not change it; changing any frame, label, pixel spacing, box, fold or section does.

    Args:
        dataset_dir: The folder that holds `datalist.json`.

    Returns:
        12 hexadecimal digits.

    Raises:
        FileNotFoundError: The data list, or a file that it names, does not exist.
        ValueError: The data list is not JSON or malformed.
    """
    folder = Path(dataset_dir).resolve()
    content, keys = _read_either(folder)
    digest = hashlib.sha256()
    for section in SECTIONS:
        frames = [resolve_files(folder, section, frame, keys) for frame in content[section]]
        for frame in sorted(frames, key=lambda frame: Path(frame["image"]).name):
            described = {
                **frame,
                "section": section,
                **{key: [Path(frame[key]).name, file_sha256(Path(frame[key]))] for key in _file_keys(keys)},
            }
            digest.update(json.dumps(described, sort_keys=True).encode())
    return digest.hexdigest()[:12]


def read_datalist(dataset_dir: str | Path, keys: tuple[str, ...] = SEGMENTATION_KEYS) -> dict[str, Any]:
    """Read `datalist.json` without resolving its paths, which are relative to its folder.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        keys: Keys that every frame must have: SEGMENTATION_KEYS or CLASSIFICATION_KEYS.

    Raises:
        FileNotFoundError: The data list does not exist.
        ValueError: The data list is not JSON, or a section is missing, malformed or made for another task.
    """
    folder = Path(dataset_dir).resolve()
    content = _read_json(folder, keys)
    for section in SECTIONS:
        if not _all_have(content, section, keys):
            *first, last = (f"'{key}'" for key in keys)
            raise ValueError(
                f"{folder / DATALIST_NAME}: '{section}' must be a list of frames with {', '.join(first)} and {last}. "
                f"{_prepare_hint(folder, keys)}"
            )
    return content


def check_not_empty(folder: Path, section: str, frames: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """Check that a section is not empty: MONAI silently skips a run without frames.

    Args:
        folder: The folder that holds `datalist.json`.
        section: The section, for the message.
        frames: Its frames.
        keys: Keys of the data list's frames: SEGMENTATION_KEYS or CLASSIFICATION_KEYS.

    Raises:
        ValueError: There are no frames.
    """
    if not frames:
        raise ValueError(
            f"{folder / DATALIST_NAME}: the section '{section}' is empty; every section needs at least one frame. "
            f"{_prepare_hint(folder, keys)}"
        )


def resolve_files(folder: Path, section: str, frame: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Make the paths of a frame of a data list absolute.

    Args:
        folder: The folder that holds `datalist.json`.
        section: Section of the frame, for the message.
        frame: The frame from the data list.
        keys: Keys of the data list's frames: SEGMENTATION_KEYS or CLASSIFICATION_KEYS.

    Raises:
        FileNotFoundError: A file does not exist.
    """
    resolved = dict(frame)
    for key in _file_keys(keys):
        # Joining with an absolute path gives that path itself.
        path = folder / frame[key]
        if not path.is_file():
            raise FileNotFoundError(
                f"{path}: the {key} of a {section} frame named in {folder / DATALIST_NAME} does not exist. "
                f"{_prepare_hint(folder, keys)}"
            )
        resolved[key] = str(path)
    return resolved


def _with_scale(folder: Path, frame: dict[str, Any]) -> dict[str, Any]:
    """A frame whose spacing and head circumference are NaN where the data list does not state them."""
    spacing = frame.get("pixel_spacing_mm", [math.nan, math.nan])
    stated = "pixel_spacing_mm" in frame
    if stated and not (
        isinstance(spacing, list)
        and len(spacing) == 2
        and all(isinstance(length, int | float) for length in spacing)
        and is_plausible_pixel_size(*spacing)
    ):
        raise ValueError(
            f"{folder / DATALIST_NAME}: {Path(frame['image']).name} has pixel_spacing_mm {spacing!r}; expected [row, "
            f"column], two numbers {EXPECTED_PIXEL_SIZE}. Correct it, or leave it out if it is unknown."
        )
    return {"head_circumference_mm": math.nan, **frame, "pixel_spacing_mm": spacing}


def _read_either(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read a data list of either kind, and determine which kind it is."""
    content = _read_json(folder, SEGMENTATION_KEYS)
    for_classes = all(_all_have(content, section, CLASSIFICATION_KEYS) for section in SECTIONS)
    keys = CLASSIFICATION_KEYS if for_classes else SEGMENTATION_KEYS
    return read_datalist(folder, keys), keys


def _read_json(folder: Path, keys: tuple[str, ...]) -> Any:
    path = folder / DATALIST_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. {_prepare_hint(folder, keys)}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}). {_prepare_hint(folder, keys)}") from error


def _all_have(content: Any, section: str, keys: tuple[str, ...]) -> bool:
    frames = content.get(section) if isinstance(content, dict) else None
    return isinstance(frames, list) and all(isinstance(frame, dict) and set(keys) <= frame.keys() for frame in frames)


def _file_keys(keys: tuple[str, ...]) -> list[str]:
    return [key for key in ("image", "label") if key in keys]


def _prepare_hint(folder: Path, keys: tuple[str, ...]) -> str:
    return _PREPARE_HINTS[keys].format(folder=folder)
