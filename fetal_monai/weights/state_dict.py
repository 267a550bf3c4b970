"""Reading a file of weights: checked, and without running any code in it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from fetal_monai.files.checksum import file_sha256


def read_state_dict(path: Path, sha256: str | None = None, stated_by: str = "") -> dict[str, Any]:
    """Read a state dict that `torch.save` wrote, with `weights_only=True`: no code in it runs.

    Args:
        path: An existing file.
        sha256: Hexadecimal checksum that the file must have; None does not check.
        stated_by: Where that checksum was stated, for the error.

    Raises:
        ValueError: The checksum differs, the file is not a state dict, or a number in it is NaN or infinite.
    """
    if sha256 is not None and (found := file_sha256(path)) != sha256.lower():
        raise ValueError(
            f"{path} has the SHA-256 {found}, {stated_by} states {sha256}: the file is damaged or another version. "
            "Download it again."
        )
    try:
        _check_records(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file leads zipfile and PyTorch to nearly any of them
        raise ValueError(
            f"{path} is not a whole file of PyTorch weights ({error}). Copy or download it again."
        ) from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, expected a state dict (name -> tensor).")
    for name, value in state.items():
        if isinstance(value, torch.Tensor) and not value.isfinite().all():
            raise ValueError(
                f"{path} holds NaN or infinite numbers in {name!r}: a network with them finds nothing. Its training "
                "went wrong, or the precision is too low; use weights of an earlier epoch."
            )
    return state


def _check_records(path: Path) -> None:
    """Check what PyTorch does not: the checksums of the records in the zip that `torch.save` writes."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return  # PyTorch's older format, which has no checksums
    with zipfile.ZipFile(path) as archive:
        # PyTorch reads nothing of a record that is marked as a folder, and does not say so.
        damaged = archive.testzip() or next(
            (each.filename for each in archive.filelist if each.external_attr & 0x10), None
        )
    if damaged is not None:
        raise ValueError(f"its record {damaged} is damaged.")
