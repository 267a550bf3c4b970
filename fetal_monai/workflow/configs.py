"""A bundle's config files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser


def config_files(bundle_root: str | Path) -> list[Path]:
    """Return the configs of a bundle, without its metadata."""
    folder = Path(bundle_root) / "configs"
    files = (path for path in folder.glob("*") if path.suffix[1:] in ConfigParser.suffixes)  # JSON and YAML
    return sorted(path for path in files if path.stem != "metadata")


def stage_config(bundle_root: str | Path, stage: str) -> tuple[Path, dict[str, Any]] | None:
    """Return the config of a stage ("train", "evaluate" or "inference"), in JSON or YAML, and its content.

    None if the bundle has no such file, because the config that runs is elsewhere.
    """
    file = next((path for path in config_files(bundle_root) if path.stem == stage), None)
    return None if file is None else (file, ConfigParser.load_config_file(file))
