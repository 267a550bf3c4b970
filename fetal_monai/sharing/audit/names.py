"""Look up which object a dotted name refers to in the installed packages, and whether a bundle may name it.

A name is allowed when it is spelt as in `allow_list.NAMES`, or when it refers to a reviewed class or function, however
it is spelt. Members of reviewed enumerations are also allowed, but no other attribute of a class.

Every module in a name must be a true submodule of the one before. A Python module also exposes what it imports, so
`torch.os.system` and `monai.config.deviceconfig.subprocess.run` look as if they belonged to torch and MONAI. Objects
are therefore identified by the module that defines them, which no alias can hide.

Only modules that could contain something allowed are imported, and only from where they are installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from types import FunctionType, ModuleType
from typing import Any

from monai.bundle import ComponentLocator

from fetal_monai.sharing.audit.allow_list import CALCULATING, NAMES, OWN_NAMES, reviewed, roots
from fetal_monai.sharing.audit.arguments import ARGUMENTS
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

_OWN = "fetal_monai"


@dataclass(frozen=True, slots=True)
class Name:
    """What a dotted name refers to.

    Attributes:
        verdict: Whether a bundle may name it.
        home: Dotted name in the module that defines it; for this package's own, in its subpackage.
        is_module: Whether it is a module, which is allowed only as the beginning of a longer name.
        is_callable: Whether it is a class or a function.
    """

    verdict: Verdict
    home: str
    is_module: bool = False
    is_callable: bool = False

    @property
    def judged_by_arguments(self) -> bool:
        """Whether its arguments decide what it imports, unpickles, writes or sends."""
        return self.home in ARGUMENTS


@lru_cache(maxsize=4096)
def look_up(dotted: str) -> Name:
    """Look up a name by attribute access, as an expression does.

    Args:
        dotted: Name that begins with a package, such as `monai.transforms.Compose`.
    """
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts):
        return Name(refuse("is not a dotted name"), dotted)
    if dotted in NAMES:
        return Name(allow(), dotted, is_callable=True)
    if parts[0] not in roots():
        return Name(refuse(f"{parts[0]} is not on the allow-list ({', '.join(roots())})"), dotted)
    if private := next((part for part in parts if part.startswith("_")), None):
        return Name(refuse(f"{private} is private"), dotted)
    return _walk(dotted, parts)


def look_up_target(target: str) -> Name:
    """Look up a `_target_` as MONAI does.

    MONAI's ComponentLocator finds names without dots among all loaded modules of MONAI; `pydoc.locate` finds the
    others, preferring submodules to attributes.
    """
    modules = locator().get_component_module_name(target)
    if modules is not None:
        # MONAI takes the first of several; their order depends on the order of imports.
        names = [look_up(f"{module}.{target}") for module in ([modules] if isinstance(modules, str) else modules)]
        return next((name for name in names if not name.verdict.allowed), names[0])
    name = look_up(target)
    if not name.verdict.allowed:
        return name
    if not name.is_callable:
        return Name(refuse("is neither a class nor a function"), name.home)
    return _as_located(target, name)


@lru_cache(maxsize=4096)
def is_importable(package: str) -> bool:
    """Return whether a top-level module of this name exists, without importing it."""
    try:
        return package in sys.builtin_module_names or importlib.util.find_spec(package) is not None
    except ValueError:  # the module that runs as __main__
        return True


@cache
def locator() -> ComponentLocator:
    """Return MONAI's own lookup of names without dots."""
    return ComponentLocator()


def _walk(dotted: str, parts: list[str]) -> Name:
    module: ModuleType | None = None
    for count in range(1, len(parts) + 1):
        spelt = ".".join(parts[:count])
        found: Any = getattr(module, parts[count - 1], None) if module else None
        if found is None and _may_hold_allowed(spelt):
            found = _import(spelt)
        if found is None:
            return Name(refuse(f"{spelt} is not on the allow-list, nor a module with names on it"), dotted)
        if not isinstance(found, ModuleType):
            return _in_module(dotted, spelt, found, parts[count:])
        if found.__name__ != spelt:
            why = f"{spelt} is the module {found.__name__}, reached through another package"
            return Name(refuse(why), found.__name__)
        module = found
    known = allow() if _may_hold_allowed(dotted) else refuse(f"{dotted} is not on the allow-list")
    return Name(known, dotted, is_module=True)


def _may_hold_allowed(module: str) -> bool:
    """Return whether this module may be imported: it contains or exposes something allowed."""
    return module in _packages() or any(module.startswith(f"{package}.") for package in _own_packages())


@cache
def _packages() -> frozenset[str]:
    holders = {name.rpartition(".")[0] for name in (*reviewed(), *NAMES)} | set(CALCULATING)
    return frozenset(".".join(holder.split(".")[:count]) for holder in holders for count in range(1, 9))


@cache
def _own_packages() -> frozenset[str]:
    return frozenset({*CALCULATING, *(name.rpartition(".")[0] for name in OWN_NAMES)})


def _import(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _in_module(dotted: str, spelt: str, found: Any, rest: list[str]) -> Name:
    """Judge an object found in a module, or the member of an enumeration."""
    if not isinstance(found, type | FunctionType):
        return Name(refuse(f"{spelt} is a {type(found).__name__} that is not on the allow-list"), dotted)
    home = _home(found)
    if home not in reviewed() and not _calculates(found):
        return Name(refuse(f"{home} is not on the allow-list: it was not reviewed"), home)
    if not rest:
        return Name(allow(), home, is_callable=True)
    if len(rest) == 1 and isinstance(found, type) and issubclass(found, Enum) and rest[0] in found.__members__:
        return Name(allow(), f"{home}.{rest[0]}")
    return Name(refuse(f"{dotted}: attributes of a class or function are not on the allow-list"), home)


def _home(found: type | FunctionType) -> str:
    module = str(found.__module__)
    if module.split(".")[0] == _OWN:
        module = ".".join(module.split(".")[:2])
    return f"{module}.{found.__qualname__}"


def _calculates(found: type | FunctionType) -> bool:
    public = not found.__qualname__.startswith("_") and "." not in found.__qualname__
    return public and any(str(found.__module__).startswith(f"{package}.") for package in CALCULATING)


def _as_located(target: str, name: Name) -> Name:
    """Refuse a name that is also a submodule, which `pydoc.locate` prefers to the attribute."""
    parts = target.split(".")
    for count in range(2, len(parts) + 1):
        spelt = ".".join(parts[:count])
        if not look_up(spelt).is_module and _is_submodule(spelt):
            return Name(refuse(f"{spelt} is also a module"), name.home)
    return name


def _is_submodule(dotted: str) -> bool:
    try:
        return importlib.util.find_spec(dotted) is not None
    except (ImportError, ValueError, AttributeError):
        return False
