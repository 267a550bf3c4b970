"""Find out, without a bundle's help, which object a dotted name reaches, and whether a bundle may name it.

A name is allowed when it is spelt as in `allow_list.NAMES`, or when the class or function that it reaches in the
installed packages is one that was reviewed, wherever it is spelt from. Members of reviewed enumerations are allowed,
too; no other attribute of a class is.

On the way every module must be a true submodule of the one before: a Python module also shows what it imports, so
`torch.os.system` and `monai.config.deviceconfig.subprocess.run` are spelt as if they were torch's and MONAI's own.
Asking where the object is defined sees through every such alias.

Only modules that could hold something allowed are imported, from where they are installed.
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
    """What a dotted name reaches.

    Attributes:
        verdict: Whether a bundle may name it.
        home: Where it is defined; what is this package's own: its subpackage and its name there.
        is_module: A module is allowed as the beginning of a longer name only.
        is_callable: It is a class or a function.
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
    """Find what a name reaches by attributes, as an expression reaches it.

    Args:
        dotted: from a package's own name on: `monai.transforms.Compose`.
    """
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts):
        return Name(refuse("is no dotted name"), dotted)
    if dotted in NAMES:
        return Name(allow(), dotted, is_callable=True)
    if parts[0] not in roots():
        return Name(refuse(f"{parts[0]} is not on the allow-list ({', '.join(roots())})"), dotted)
    if private := next((part for part in parts if part.startswith("_")), None):
        return Name(refuse(f"{private} is private"), dotted)
    return _walk(dotted, parts)


def look_up_target(target: str) -> Name:
    """Find what MONAI would make of a `_target_`.

    A name without dots is looked up by MONAI's own ComponentLocator among everything of MONAI that is loaded;
    `pydoc.locate` takes the rest, submodules before attributes.
    """
    modules = locator().get_component_module_name(target)
    if modules is not None:
        # MONAI takes the first of several; the order depends on what was imported first.
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
    """Whether there is a top-level module of this name; it is not imported."""
    try:
        return package in sys.builtin_module_names or importlib.util.find_spec(package) is not None
    except ValueError:  # what runs as __main__
        return True


@cache
def locator() -> ComponentLocator:
    """MONAI's own table of what its bare names mean."""
    return ComponentLocator()


def _walk(dotted: str, parts: list[str]) -> Name:
    module: ModuleType | None = None
    for count in range(1, len(parts) + 1):
        spelt = ".".join(parts[:count])
        found: Any = getattr(module, parts[count - 1], None) if module else None
        if found is None and _may_hold_allowed(spelt):
            found = _import(spelt)
        if found is None:
            return Name(refuse(f"there is no {spelt} on the allow-list, nor a module that holds one"), dotted)
        if not isinstance(found, ModuleType):
            return _in_module(dotted, spelt, found, parts[count:])
        if found.__name__ != spelt:
            why = f"{spelt} is the module {found.__name__}, reached through another package"
            return Name(refuse(why), found.__name__)
        module = found
    known = allow() if _may_hold_allowed(dotted) else refuse(f"{dotted} is not on the allow-list")
    return Name(known, dotted, is_module=True)


def _may_hold_allowed(module: str) -> bool:
    """Whether this module may be imported: it is a package or module that holds, or shows, something allowed."""
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
    """Judge what was found in a module, and the member of an enumeration."""
    if not isinstance(found, type | FunctionType):
        return Name(refuse(f"{spelt} is a {type(found).__name__} that is not on the allow-list"), dotted)
    home = _home(found)
    if home not in reviewed() and not _calculates(found):
        return Name(refuse(f"{home} is not on the allow-list: it was not reviewed"), home)
    if not rest:
        return Name(allow(), home, is_callable=True)
    if len(rest) == 1 and isinstance(found, type) and issubclass(found, Enum) and rest[0] in found.__members__:
        return Name(allow(), f"{home}.{rest[0]}")
    return Name(refuse(f"{dotted}: of a class or function, no attribute is on the allow-list"), home)


def _home(found: type | FunctionType) -> str:
    module = str(found.__module__)
    if module.split(".")[0] == _OWN:
        module = ".".join(module.split(".")[:2])
    return f"{module}.{found.__qualname__}"


def _calculates(found: type | FunctionType) -> bool:
    public = not found.__qualname__.startswith("_") and "." not in found.__qualname__
    return public and any(str(found.__module__).startswith(f"{package}.") for package in CALCULATING)


def _as_located(target: str, name: Name) -> Name:
    """`pydoc.locate` prefers a submodule to the attribute of the same name."""
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
