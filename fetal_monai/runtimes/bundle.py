"""What an engine needs to know of a segmentation bundle, read without MONAI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fetal_monai.bundle_folder import bundle_folder, bundle_names
from fetal_monai.files.checksum import file_sha256
from fetal_monai.weights.settings import read_settings

_CONFIG = "configs/inference.json"
_WEIGHTS = "models/model.pt"
# The steps before the network that an engine does itself; what follows them is part of its graph.
_LOADING = ("LoadImaged", "EnsureChannelFirstd")
_RESIZING = {"_target_": "Resized", "keys": "image", "spatial_size": "@spatial_size"} | {
    "mode": "bilinear",
    "anti_aliasing": True,
}


@dataclass(frozen=True)
class SegmentationBundle:
    """A bundle whose network finds the head in a resized gray frame.

    Attributes:
        root: The bundle's folder.
        config: Its inference config, as the file has it.
    """

    root: Path
    config: dict[str, Any]

    @cached_property
    def spatial_size(self) -> tuple[int, int]:
        """The network's size, (H, W): that of the training, where the weights state it."""
        settings = read_settings(self.weights) or {"options": {}}
        height, width = settings["options"].get("spatial_size", self.config["spatial_size"])
        return int(height), int(width)

    @property
    def normalisation(self) -> list[dict[str, Any]]:
        """The transforms between the resized frame and the network."""
        return _after_resizing(self.config["preprocessing"]["transforms"])

    @property
    def weights(self) -> Path:
        """The shipped weights."""
        return self.root / _WEIGHTS

    @cached_property
    def weights_sha256(self) -> str:
        """By this checksum, exported networks belong to their weights."""
        return file_sha256(self.weights)


def find_bundle(bundle: str | Path) -> SegmentationBundle:
    """Read a bundle by its folder, or one of this project's by its name.

    Raises:
        FileNotFoundError: There is no such bundle, or it has no weights.
        ValueError: It does not measure heads in resized gray frames.
    """
    root = bundle_folder(str(bundle)) if str(bundle) in bundle_names() else Path(bundle)
    if not (root / _CONFIG).is_file():
        raise FileNotFoundError(
            f"{bundle}: no such bundle; expected a folder with {_CONFIG}, or one of {', '.join(bundle_names())}."
        )
    found = SegmentationBundle(root.resolve(), json.loads((root / _CONFIG).read_text(encoding="utf-8")))
    if _after_resizing(found.config.get("preprocessing", {}).get("transforms", [])) is None:
        raise ValueError(
            f"{root / _CONFIG}: preprocessing must load a gray frame and resize it (bilinear, anti_aliasing) to "
            "@spatial_size; run other bundles by python -m monai.bundle."
        )
    if not found.weights.is_file():
        raise FileNotFoundError(
            f"There are no weights at {found.weights}. Train the bundle, then publish its weights there "
            "(fetal_monai.weights.publish_weights)."
        )
    return found


def _after_resizing(transforms: list[dict[str, Any]]) -> Any:
    """The transforms after the resizing; None where it is not the one that `resize` does."""
    steps = [step for step in transforms if step["_target_"] not in _LOADING]
    return steps[1:] if steps and steps[0] == _RESIZING else None
