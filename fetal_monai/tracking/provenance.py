"""The provenance of a run: bundle, code and packages."""

from __future__ import annotations

import hashlib
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fetal_monai.files.checksum import file_sha256
from fetal_monai.workflow.metadata import load_metadata

_PACKAGES = ("fetal-monai", "monai", "torch", "pytorch-ignite", "numpy", "scikit-image", "itk", "mlflow")


def provenance(bundle_root: str | Path) -> dict[str, str]:
    """Return the bundle's name and version, the git commit, the code's checksum and the versions of the packages.

    Raises:
        FileNotFoundError: The folder is not a bundle.
    """
    metadata = load_metadata(bundle_root)
    return {
        "bundle": metadata["bundle"],
        "bundle_version": metadata["version"],
        "git_commit": git_commit(bundle_root),
        "code_sha256": code_sha256(bundle_root),
        **package_versions(),
    }


def code_sha256(bundle_root: str | Path) -> str:
    """Return the SHA-256 of the bundle's configs and of this package's modules, which identifies packs too."""
    package = Path(__file__).parents[1]
    files = {f"configs/{path.name}": path for path in (Path(bundle_root) / "configs").glob("*.json")}
    files |= {path.relative_to(package.parent).as_posix(): path for path in package.rglob("*.py")}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{file_sha256(files[name])}\n".encode())
    return digest.hexdigest()


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on, as `version_<package>`."""
    return {f"version_{package}": _version(package) for package in _PACKAGES}


def git_commit(folder: str | Path) -> str:
    """Return the commit of the folder's checkout, with "+changes" if files differ; "unknown" outside a checkout."""
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
