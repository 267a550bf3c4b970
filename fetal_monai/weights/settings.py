"""What weights were trained with, in a file beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fetal_monai.files import atomic_path


def write_settings(weights: Path, settings: Mapping[str, Any]) -> None:
    """Write `<weights>.settings.txt`.

    Args:
        weights: The file of the weights.
        settings: ``bundle`` and ``network``, the names of the bundle and of the network's class, and ``options``: what
            the network needs at inference as in training, such as its input size, by the names of the bundle's config.
    """
    with atomic_path(settings_file(weights)) as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def read_settings(weights: Path) -> dict[str, Any] | None:
    """Read what `write_settings` wrote; None if there is no such file, as for weights from elsewhere.

    Raises:
        ValueError: The file is damaged.
    """
    file = settings_file(weights)
    if not file.is_file():
        return None
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(settings["options"], dict) and {"bundle", "network"} <= settings.keys():
            return settings
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError(
        f"{file} does not say what {weights.name} was trained with: expected JSON with bundle, network and options. "
        "Copy it from the training again, or delete it to use the weights without a check."
    )


def settings_file(weights: Path) -> Path:
    """The file that says what weights were trained with."""
    return weights.with_name(f"{weights.name}.settings.txt")
