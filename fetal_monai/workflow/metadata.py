"""A bundle's metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load_metadata(bundle_root: str | Path) -> dict[str, Any]:
    """Return the content of a bundle's `configs/metadata.json`.

    Raises:
        FileNotFoundError: The folder is not a bundle.
    """
    metadata_file = Path(bundle_root) / "configs" / "metadata.json"
    if not metadata_file.is_file():
        raise FileNotFoundError(
            f"{Path(bundle_root).resolve()} is not a bundle: it has no configs/metadata.json. Run from the "
            "repository's root or from the bundle's folder, or give the folder with --bundle_root."
        )
    return json.loads(metadata_file.read_text())
