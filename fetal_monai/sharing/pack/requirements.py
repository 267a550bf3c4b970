"""The packages that a packed bundle requires, and those that its metadata pins."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from typing import Any

_ALWAYS = {name: "python -m monai.bundle" for name in ("monai", "torch", "numpy", "fire")}
_IMPORTED_LATE = {
    "KeepLargestConnectedComponentd": "scikit-image",
    "MLFlowHandler": "mlflow",
    "ProgressBar": "tqdm",
}
"""Components of MONAI and ignite that import a package only when they are created, each with that package."""

_OWN_PINS = {"monai": "monai_version", "torch": "pytorch_version", "numpy": "numpy_version"}
_OTHER_PINS = "required_packages_version"


class UnknownDistributionError(ValueError):
    """An import for which the distribution to install is not known."""


def required_distributions(names: Iterable[str], imports: Mapping[str, str]) -> dict[str, str]:
    """Find the distributions that must be installed, each with the first module or component that needs it.

    Args:
        names: Names in the configs.
        imports: Dotted names that the packed modules import from other packages, each with the importing module.

    Raises:
        UnknownDistributionError: If an imported package is not installed, or several distributions provide it.
    """
    named = {**{name: "the configs" for name in sorted(names)}, **imports}
    needed = dict(_ALWAYS)
    for name, needed_by in named.items():
        component = name.rpartition(".")[2]
        if component in _IMPORTED_LATE:
            needed.setdefault(_IMPORTED_LATE[component], component)
        package = name.partition(".")[0]
        if ("." in name or name in imports) and package not in (*sys.stdlib_module_names, "fetal_monai"):
            needed.setdefault(_distribution(package, needed_by), needed_by)
    return dict(sorted(needed.items()))


def pins(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions that a bundle's metadata pins, by the distribution's normalised name."""
    own = {name: metadata[key] for name, key in _OWN_PINS.items() if key in metadata}
    return own | {_normalised(name): version for name, version in metadata.get(_OTHER_PINS, {}).items()}


def pin_place(name: str) -> str:
    """Return the id of a distribution's pin in the metadata."""
    return _OWN_PINS.get(name, f"{_OTHER_PINS}#{name}")


def _distribution(package: str, needed_by: str) -> str:
    """Return the distribution to install for a package: of the same name, or else the only one that provides it."""
    try:
        return _normalised(distribution(package).name)
    except PackageNotFoundError:
        found = set(_providers().get(package, ()))
    if len(found) != 1:
        state = f"provided by {', '.join(sorted(found))}" if found else "not installed"
        raise UnknownDistributionError(
            f"{needed_by} imports {package}, which is {state}: the distribution to install is not known."
        )
    return _normalised(found.pop())


@cache
def _providers() -> Mapping[str, list[str]]:
    return packages_distributions()


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
