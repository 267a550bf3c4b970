"""Checkpoint files: written atomically, and cleared of the leftovers of killed trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fetal_monai.files import atomic_path
from fetal_monai.files.atomic import unfinished_files
from fetal_monai.files.folder_lock import folder_lock


def save_checkpoint(state: Mapping[str, Any], path: Path) -> None:
    """Write a state with `torch.save`, atomically and with the folder locked against other processes.

    Raises:
        OSError: The disk is full; the message names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_lock(path.parent), atomic_path(path) as temporary:
        try:
            with temporary.open("wb") as file:
                torch.save(state, file)
        except RuntimeError as error:  # torch raises another one over that of the file
            if not isinstance(reason := error.__context__, OSError):
                raise
            raise OSError(reason.errno, reason.strerror, str(path)) from error


def remove_unfinished(path: Path) -> None:
    """Remove the unfinished files of trainings that were killed while saving, each as large as a checkpoint.

    Nothing is removed where folders cannot be locked, because another training may be saving.
    """
    if path.parent.is_dir():
        with folder_lock(path.parent) as locked:
            for file in unfinished_files(path) if locked else ():
                file.unlink(missing_ok=True)
