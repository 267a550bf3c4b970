"""The files that a training goes on from: written whole, and cleared of what killed trainings left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fetal_monai.files import atomic_path
from fetal_monai.files.atomic import unfinished_files
from fetal_monai.files.folder_lock import folder_lock


def save_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write a state with `torch.save`, whole or not at all; no other process saves in the folder meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_lock(path.parent), atomic_path(path) as temporary:
        torch.save(state, temporary)


def remove_unfinished(path: Path) -> None:
    """Remove what trainings that were killed while they saved left beside a checkpoint, each as large as itself.

    Where folders cannot be locked nothing is removed: it cannot be known whether another training is saving.
    """
    if path.parent.is_dir():
        with folder_lock(path.parent) as locked:
            for file in unfinished_files(path) if locked else ():
                file.unlink(missing_ok=True)
