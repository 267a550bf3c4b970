"""What a run must be able to say of itself: bundle, code, packages."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fetal_monai.workflow.metadata import load_metadata

_PACKAGES = ("fetal-monai", "monai", "torch", "pytorch-ignite", "numpy", "scikit-image", "itk", "mlflow")


def provenance(bundle_root: str | Path) -> dict[str, str]:
    """Return the bundle's name and version, the git commit and the versions of the packages.

    Raises:
        FileNotFoundError: if the folder is no bundle.
    """
    metadata = load_metadata(bundle_root)
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


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
