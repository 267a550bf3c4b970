"""What a run must be able to say of itself: bundle, code, packages, config."""

from __future__ import annotations

import inspect
import json
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

_PACKAGES = ("fetal-monai", "monai", "torch", "pytorch-ignite", "numpy", "scikit-image", "itk", "mlflow")


def provenance(bundle_root: str | Path) -> dict[str, str]:
    """Return the bundle's name and version, the git commit and the versions of the packages.

    Raises:
        FileNotFoundError: if the folder is no bundle.
    """
    metadata_file = Path(bundle_root) / "configs" / "metadata.json"
    if not metadata_file.is_file():
        raise FileNotFoundError(
            f"{Path(bundle_root).resolve()} is no bundle: it has no configs/metadata.json. Run from the repository's "
            "root or from the bundle's folder, or name the folder with --bundle_root."
        )
    metadata = json.loads(metadata_file.read_text())
    return {
        "bundle": metadata["name"],
        "bundle_version": metadata["version"],
        "git_commit": git_commit(bundle_root),
        **package_versions(),
    }


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on, as `version_<package>`."""
    return {f"version_{package}": _version(package) for package in _PACKAGES}


def git_commit(folder: str | Path) -> str:
    """Return the commit of the checkout that holds the folder, with "+changes" if it differs; "unknown" outside one."""
    try:
        described = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def running_config() -> dict[str, Any] | None:
    """Return the merged config, overlays and overrides included, of the bundle run that calls; None outside one.

    MONAI hands the merged config to none of its components, so it is taken from the `ConfigParser` that is
    instantiating the caller: the one way that holds for the command line and for `ConfigWorkflow` alike.
    """
    frame = inspect.currentframe()
    while frame is not None:
        parser = frame.f_locals.get("self")
        if isinstance(parser, ConfigParser):
            return parser.config
        frame = frame.f_back
    return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
