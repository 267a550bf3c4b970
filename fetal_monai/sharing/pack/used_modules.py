"""The part of `fetal_monai` that a bundle uses, found by reading the source, not by importing it.

A module is taken as it is, together with everything that its import statements name, at any level. The `__init__.py`
of a subpackage is reduced to the names that are used.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fetal_monai.sharing.subpackage_init import exports, read_init, reduced

PACKAGE = "fetal_monai"


class MissingNameError(ValueError):
    """A name that the package does not contain."""


@dataclass(frozen=True, slots=True)
class UsedModules:
    """The used part of the package.

    Attributes:
        files: Content by path, such as `fetal_monai/data/io/frame.py`.
        imports: Dotted names that it imports from other packages, each with the first module that does.
    """

    files: Mapping[str, bytes]
    imports: Mapping[str, str]


def find_used_modules(names: Iterable[str], package: Path) -> UsedModules:
    """Find the smallest part of the package that provides some names.

    Args:
        names: Dotted names, such as `fetal_monai.data.FrameReader`.
        package: Folder of the package.

    Raises:
        MissingNameError: If a name does not exist.
    """
    search = _Search(package)
    for name in sorted(names):
        search.need_name(name, "a config")
    return UsedModules(search.files(), dict(sorted(search.imports.items())))


class _Search:
    def __init__(self, package: Path) -> None:
        self._package = package
        self._modules: set[str] = set()
        self._names: dict[str, set[str]] = defaultdict(set)  # by subpackage
        self.imports: dict[str, str] = {}

    def need_name(self, dotted: str, needed_by: str) -> None:
        """Follow a name as attribute access does: an exported name hides a module of the same name."""
        module = PACKAGE
        self._need_module(module, needed_by)
        for part in dotted.split(".")[1:]:
            if not self._is_subpackage(module):
                return  # defined in that module, or an attribute of something that is
            submodule = self._need_from(module, part, needed_by)
            if submodule is None:
                return
            module = submodule

    def files(self) -> dict[str, bytes]:
        """Return the content by path, sorted."""
        found = {}
        for module in self._modules:
            path = self._path(module)
            is_reducible = self._is_reducible(module)
            text = reduced(read_init(path, module), self._names[module]) if is_reducible else None
            found[self._inside(path)] = path.read_bytes() if text is None else text.encode("utf-8")
            for data in self._data_files(path):
                found[self._inside(data)] = data.read_bytes()
        return dict(sorted(found.items()))

    def _need_from(self, module: str, name: str, needed_by: str) -> str | None:
        """Follow `from module import name`. Return the dotted name if it is a module."""
        exported = self._is_subpackage(module) and _exports(self._path(module), module)
        if exported and name in exported:
            if name not in self._names[module]:
                self._names[module].add(name)
                self._need_import(*exported[name], module)
            return None
        submodule = f"{module}.{name}"
        if self._is_subpackage(module) and self._path(submodule).is_file():
            self._need_module(submodule, needed_by)
            return submodule
        if self._is_reducible(module):
            raise MissingNameError(
                f"{needed_by} names {submodule}, which does not exist in {PACKAGE}: correct the name."
            )
        return None  # defined in that module

    def _need_import(self, module: str, name: str, needed_by: str) -> None:
        if module.split(".")[0] == PACKAGE:
            self._need_module(module, needed_by)
            self._need_from(module, name, needed_by)
        else:
            self.imports.setdefault(f"{module}.{name}", needed_by)

    def _need_module(self, module: str, needed_by: str) -> None:
        if module in self._modules:
            return
        if not self._path(module).is_file():
            raise MissingNameError(
                f"{needed_by} imports {module}, which does not exist in {PACKAGE}: correct the name."
            )
        if "." in module:
            self._need_module(module.rpartition(".")[0], needed_by)
        self._modules.add(module)
        if self._is_reducible(module):
            return
        for node in ast.walk(_parsed(self._path(module))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == PACKAGE:
                        self._need_module(alias.name, module)
                    else:
                        self.imports.setdefault(alias.name, module)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self._need_import(str(node.module), alias.name, module)

    def _data_files(self, path: Path) -> list[Path]:
        """Return the data files in a module's folder that the module names."""
        texts = {node.value for node in ast.walk(_parsed(path)) if isinstance(node, ast.Constant)}
        beside = (other for other in path.parent.iterdir() if other.is_file() and other.suffix not in (".py", ".pyc"))
        return sorted(other for other in beside if other.name in texts)

    def _is_subpackage(self, module: str) -> bool:
        return self._path(module).name == "__init__.py"

    def _is_reducible(self, module: str) -> bool:
        """Return whether it is a subpackage whose `__init__.py` can be reduced."""
        return self._is_subpackage(module) and _exports(self._path(module), module) is not None

    def _path(self, module: str) -> Path:
        path = self._package.joinpath(*module.split(".")[1:])
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def _inside(self, path: Path) -> str:
        return f"{PACKAGE}/{path.relative_to(self._package).as_posix()}"


@cache
def _exports(path: Path, module: str) -> dict[str, tuple[str, str]] | None:
    return exports(read_init(path, module))


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
