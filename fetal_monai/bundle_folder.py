"""Where the bundles are: inside an installed package, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_IN_WHEEL = _PACKAGE / "_bundles"
_BUNDLES = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent / "bundles"


def bundle_names() -> list[str]:
    """Return the names of the bundles, sorted."""
    return sorted(metadata.parts[-3] for metadata in _BUNDLES.glob("*/configs/metadata.json"))


def bundle_folder(name: str) -> Path:
    """Return the folder of a bundle.

    In an installed package it is to be read only: what a run writes goes into its `output_dir`, or into a copy.

    Args:
        name: Name of the bundle, such as `bisenet`.

    Raises:
        ValueError: If there is no bundle of that name.
    """
    if name not in bundle_names():
        raise ValueError(f"There is no bundle {name!r} in {_BUNDLES}: expected one of {', '.join(bundle_names())}.")
    return _BUNDLES / name
