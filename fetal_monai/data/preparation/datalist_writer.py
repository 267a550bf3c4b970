"""Write the data list of a prepared data set for segmentation or classification."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.data.datalist import DATALIST_NAME, SECTIONS
from fetal_monai.files import atomic_path


def write_datalist(
    output_dir: Path,
    description: Mapping[str, str],
    class_names: Sequence[str],
    split: Mapping[str, Any],
    sections: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Path:
    """Write `datalist.json` in the layout of the Medical Segmentation Decathlon.

    Args:
        output_dir: Folder for the list; it is created if it does not exist.
        description: Facts about the data set, such as "name" and "licence".
        class_names: Names of the classes, in the order of their numbers.
        split: How the frames were split into sections, such as "seed".
        sections: The entries of each section.

    Returns:
        Path of `datalist.json`.
    """
    content = {
        **description,
        "tensorImageSize": "2D",
        "modality": {"0": "US"},
        "labels": {str(index): name for index, name in enumerate(class_names)},
        **split,
        **{f"num{section.capitalize()}": len(sections[section]) for section in SECTIONS},
        **{section: sections[section] for section in SECTIONS},
    }
    datalist = output_dir / DATALIST_NAME
    with atomic_path(datalist) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return datalist


def listed_path(path: Path, output_dir: Path) -> str:
    """Return the path of a file for a data list in `output_dir`: relative if the file is in that folder."""
    return (path.relative_to(output_dir) if path.is_relative_to(output_dir) else path).as_posix()
