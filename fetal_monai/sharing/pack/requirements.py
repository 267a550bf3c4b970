"""What a packed bundle needs of other packages, and what its metadata pins."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from typing import Any

_ALWAYS = {name: "python -m monai.bundle" for name in ("monai", "torch", "numpy", "fire")}
_BEHIND = {
    "KeepLargestConnectedComponentd": "scikit-image",
    "MLFlowHandler": "mlflow",
    "ProgressBar": "tqdm",
}
"""Components of MONAI and ignite that import a package only when they are made, and that package."""

_OWN_PINS = {"monai": "monai_version", "torch": "pytorch_version", "numpy": "numpy_version"}
_OTHER_PINS = "required_packages_version"


class UnknownDistributionError(ValueError):
    """It cannot be known what to install for an import."""


def required_distributions(names: Iterable[str], imports: Mapping[str, str]) -> dict[str, str]:
    """Find the distributions that must be installed, each with who needs it first.

    Args:
        names: what the configs name.
        imports: what the carried modules import from elsewhere as dotted names, with the module that does.

    Raises:
        UnknownDistributionError: if an imported package is not installed here, or several distributions bring it.
    """
    named = {**{name: "the configs" for name in sorted(names)}, **imports}
    needed = dict(_ALWAYS)
    for name, asker in named.items():
        component = name.rpartition(".")[2]
        if component in _BEHIND:
            needed.setdefault(_BEHIND[component], component)
        package = name.partition(".")[0]
        if ("." in name or name in imports) and package not in (*sys.stdlib_module_names, "fetal_monai"):
            needed.setdefault(_distribution(package, asker), asker)
    return dict(sorted(needed.items()))


def pins(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The versions that a bundle's metadata pins, by distribution as pip writes it."""
    own = {name: metadata[key] for name, key in _OWN_PINS.items() if key in metadata}
    return own | {_normalised(name): version for name, version in metadata.get(_OTHER_PINS, {}).items()}


def pin_place(name: str) -> str:
    """Where metadata pins a distribution."""
    return _OWN_PINS.get(name, f"{_OTHER_PINS}#{name}")


def _distribution(package: str, asker: str) -> str:
    """What to install to import a package: of the same name, else the only one that brings it."""
    try:
        return _normalised(distribution(package).name)
    except PackageNotFoundError:
        found = set(_providers().get(package, ()))
    if len(found) != 1:
        state = f"brought by {', '.join(sorted(found))}" if found else "not installed"
        raise UnknownDistributionError(f"{asker} imports {package}, which is {state}: what to install cannot be known.")
    return _normalised(found.pop())


@cache
def _providers() -> Mapping[str, list[str]]:
    return packages_distributions()


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
