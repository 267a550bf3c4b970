"""Find out, without a bundle's help, which object a dotted name reaches, and whether a bundle may name it.

The rule. A name is allowed when the object that it reaches in the installed packages is

- listed in `allowed.NAMES`, or
- a class or function *defined* below one of `allowed.PACKAGES` and not below one of `allowed.EXCEPTIONS`, or a plain
  constant (or a tuple of these) or an instance of such a class there.

On the way every module must be a true submodule of the one before: a Python module also shows what it imports, so
`torch.os.system` and `monai.config.deviceconfig.subprocess.run` are spelt as if they were torch's and MONAI's own.
Asking where the object is defined sees through every such alias. Any other container is refused, since it may hold
a module; so is every name with a leading underscore.

Only modules that could hold something allowed are imported, and only of the packages in `allowed.ROOTS`, from where
they are installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from monai.bundle import ComponentLocator

from fetal_monai.sharing.allowed import EXCEPTIONS, JUDGED_BY_ARGUMENTS, NAMES, PACKAGES, ROOTS
from fetal_monai.sharing.attributes import attribute_refusal


@dataclass(frozen=True, slots=True)
class Name:
    """What a dotted name reaches.

    Attributes:
        refusal: Why a bundle may not name it; empty if it may.
        home: Where it is defined.
        is_module: A module is allowed as the beginning of a longer name only.
        is_callable: It is a class or a function.
    """

    refusal: str
    home: str
    is_module: bool = False
    is_callable: bool = False

    @property
    def judged_by_arguments(self) -> bool:
        """Whether its arguments decide what it imports or unpickles."""
        return self.home in JUDGED_BY_ARGUMENTS


@lru_cache(maxsize=4096)
def look_up(dotted: str) -> Name:
    """Find what a name reaches by attributes, as an expression reaches it.

    Args:
        dotted: from a package's own name on: `monai.transforms.Compose`.
    """
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts):
        return Name("is no dotted name", dotted)
    if parts[0] not in ROOTS:
        return Name(f"{parts[0]} is not on the allow-list ({', '.join(ROOTS)})", dotted)
    listed = next((count for count in range(len(parts), 0, -1) if ".".join(parts[:count]) in NAMES), 0)
    if listed:
        return _attributes_of_value(dotted, parts[listed:])
    if private := next((part for part in parts if part.startswith("_")), None):
        return Name(f"{private} is private", dotted)
    return _walk(dotted, parts)


def look_up_target(target: str) -> Name:
    """Find what MONAI would make of a `_target_`.

    A name without dots is looked up by MONAI's own ComponentLocator among everything of MONAI that is loaded;
    `pydoc.locate` takes the rest, submodules before attributes.
    """
    modules = locator().get_component_module_name(target)
    if modules is None:
        name = look_up(target)
        if name.refusal or name.is_callable:
            return _as_located(target, name)
        return Name("is neither a class nor a function", name.home, name.is_module)
    # MONAI takes the first of several; the order depends on what was imported first.
    names = [look_up(f"{module}.{target}") for module in ([modules] if isinstance(modules, str) else modules)]
    return next((name for name in names if name.refusal), names[0])


def is_allowed_module(dotted: str) -> bool:
    """Whether this module may be imported: it could hold something allowed."""
    return _below(dotted, PACKAGES) or any(name.startswith(f"{dotted}.") for name in (*PACKAGES, *NAMES))


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
        if found is None and is_allowed_module(spelt):
            found = _import(spelt)
        if found is None:
            return Name(f"there is no {spelt} on the allow-list, nor below its packages", dotted)
        if not isinstance(found, ModuleType):
            return _below_module(dotted, spelt, found, parts[count:])
        if found.__name__ != spelt:
            return Name(f"{spelt} is the module {found.__name__}, reached through another package", found.__name__)
        module = found
    return Name("" if is_allowed_module(dotted) else f"{dotted} is not on the allow-list", dotted, is_module=True)


def _import(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _below_module(dotted: str, spelt: str, found: Any, rest: list[str]) -> Name:
    """Judge what was found in a module, and go on through the attributes of a class."""
    while True:
        if isinstance(found, staticmethod | classmethod):
            found = found.__func__
        home = _home(found, spelt)
        if home is None:
            kind = type(found).__name__
            return Name(f"{spelt} is a {kind}, not a class, function or constant of the package itself", dotted)
        if refusal := _home_refusal(home):
            return Name(refusal, home)
        if not rest:
            return Name("", home, is_callable=callable(found))
        if not isinstance(found, type):
            return _attributes_of_value(dotted, rest)
        spelt, attribute, rest = f"{home}.{rest[0]}", rest[0], rest[1:]
        try:
            found = inspect.getattr_static(found, attribute)
        except AttributeError:
            return Name(f"there is no {spelt}", dotted)


def _home(found: Any, spelt: str) -> str | None:
    """Where an object is defined; None for what may hold anything."""
    if isinstance(found, type | FunctionType):
        return f"{found.__module__}.{found.__qualname__}"
    if isinstance(found, str | int | float | property):
        return spelt
    if isinstance(found, tuple) and all(isinstance(item, str | int | float) for item in found):
        return spelt
    if isinstance(found, BuiltinFunctionType):
        # torch's own functions say None, or torch._C._nn.
        return spelt if (found.__module__ or "torch").split(".")[0] == "torch" else f"{found.__module__}.{spelt}"
    if _below(type(found).__module__, PACKAGES):
        return f"{type(found).__module__}.{type(found).__qualname__}"
    return None


def _home_refusal(home: str) -> str:
    for exception, reason in EXCEPTIONS.items():
        if _below(home, (exception,)):
            return f"{home} is refused: {reason}"
    return "" if home in NAMES or _below(home, PACKAGES) else f"{home} is not on the allow-list"


def _attributes_of_value(dotted: str, attributes: list[str]) -> Name:
    refusals = (attribute_refusal(attribute, called=False) for attribute in attributes)
    return Name(next((refusal for refusal in refusals if refusal), ""), dotted, is_callable=not attributes)


def _as_located(target: str, name: Name) -> Name:
    """`pydoc.locate` prefers a submodule to the attribute of the same name."""
    parts = target.split(".")
    for count in range(2, len(parts) + 1):
        spelt = ".".join(parts[:count])
        if not name.refusal and not look_up(spelt).is_module and _is_submodule(spelt):
            return Name(f"{spelt} is also a module", name.home)
    return name


def _is_submodule(dotted: str) -> bool:
    try:
        return importlib.util.find_spec(dotted) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _below(dotted: str, packages: tuple[str, ...]) -> bool:
    return any(dotted == package or dotted.startswith(f"{package}.") for package in packages)
