"""Read a prepared data set: its sections, and a fingerprint of its content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

DATALIST_NAME = "datalist.json"
SECTIONS = ("training", "validation", "test")

_MEND = "Prepare the data set with: python -m data_prep.hc18 --source HC18_FOLDER --output_dir"


def load_datalist(dataset_dir: str | Path, section: str) -> list[dict[str, Any]]:
    """List the frames of one section of a prepared data set.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        section: "training", "validation" or "test".

    Returns:
        One dictionary a frame: "image" and "label" (absolute paths), "pixel_spacing_mm" [row, column], "exam",
        "head_circumference_mm".

    Raises:
        FileNotFoundError: There is no data list, or it names a file that is gone.
        ValueError: The data list is no JSON or malformed, or `section` is none of the three.
    """
    folder = Path(dataset_dir).resolve()
    if section not in SECTIONS:
        raise ValueError(f"A data list has no section '{section}', expected one of {SECTIONS}.")
    frames: list[dict[str, Any]] = read_datalist(folder)[section]
    for frame in frames:
        for key in ("image", "label"):
            # Joining with an absolute path gives that path itself.
            path = folder / frame[key]
            if not path.is_file():
                raise FileNotFoundError(
                    f"{path}: the {key} of a {section} frame named in {folder / DATALIST_NAME} is not there. "
                    f"{_mend(folder)}"
                )
            frame[key] = str(path)
    return frames


def fingerprint(dataset_dir: str | Path) -> str:
    """Short SHA-256 over the split and the content of every image and label.

    It stays the same when the folder moves, and changes with any frame, label, pixel spacing or section.

    Args:
        dataset_dir: The folder that holds `datalist.json`.

    Returns:
        12 hexadecimal digits.

    Raises:
        FileNotFoundError: There is no data list, or it names a file that is gone.
        ValueError: The data list is no JSON or malformed.
    """
    digest = hashlib.sha256()
    for section in SECTIONS:
        for frame in sorted(load_datalist(dataset_dir, section), key=lambda frame: Path(frame["image"]).name):
            described = {
                **frame,
                "section": section,
                **{key: [Path(frame[key]).name, _sha256(frame[key])] for key in ("image", "label")},
            }
            digest.update(json.dumps(described, sort_keys=True).encode())
    return digest.hexdigest()[:12]


def read_datalist(dataset_dir: str | Path) -> dict[str, Any]:
    """Read `datalist.json` as it stands, paths relative to its folder.

    Raises:
        FileNotFoundError: There is no data list.
        ValueError: The data list is no JSON, or a section is missing or malformed.
    """
    folder = Path(dataset_dir).resolve()
    path = folder / DATALIST_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. {_mend(folder)}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}). {_mend(folder)}") from error
    for section in SECTIONS:
        frames = content.get(section) if isinstance(content, dict) else None
        if not isinstance(frames, list) or not all(
            isinstance(frame, dict) and {"image", "label", "exam"} <= frame.keys() for frame in frames
        ):
            raise ValueError(
                f"{path}: '{section}' must be a list of frames with 'image', 'label' and 'exam'. {_mend(folder)}"
            )
    return content


def _mend(folder: Path) -> str:
    return f"{_MEND} {folder}"


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
