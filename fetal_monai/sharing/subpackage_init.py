"""The `__init__.py` of a subpackage, reduced to the names that a bundle uses.

A subpackage imports all of its modules, and these import packages that a bundle may not need: reading PNG frames does
not require a video decoder. Some subpackages do so only when a name is used (`lazy_loader`): their `__init__.pyi`
lists the names instead, and the reduced file imports them at once.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection
from pathlib import Path

_ALL = "__all__ = "


def read_init(path: Path, package: str) -> str:
    """Return the imports of a subpackage with absolute module names: its `__init__.py`, or the stub next to it.

    Args:
        path: The `__init__.py`.
        package: Dotted name of the subpackage.
    """
    stub = path.with_suffix(".pyi")
    if stub.is_file():
        return stub.read_text(encoding="utf-8").replace("\nfrom .", f"\nfrom {package}.")
    return path.read_text(encoding="utf-8")


def exports(text: str) -> dict[str, tuple[str, str]] | None:
    """Return where a subpackage takes its names from.

    Args:
        text: What `read_init` returned.

    Returns:
        For each name in the subpackage, in the file's order, the module and the name there. None if the file has
        statements other than its docstring, `from ... import ...` and `__all__`: such a file cannot be reduced.
    """
    found = {}
    for index, statement in enumerate(ast.parse(text).body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str())) if index == 0:
                pass
            case ast.ImportFrom(module=str(module), level=0):
                found.update({alias.asname or alias.name: (module, alias.name) for alias in statement.names})
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                pass
            case _:
                return None
    return found


def reduced(text: str, names: Collection[str]) -> str:
    """Keep only some names in a subpackage's `__init__.py`. The result depends only on the arguments.

    Args:
        text: What `read_init` returned.
        names: Names to keep.

    Raises:
        ValueError: If the file has other statements, or does not import one of the names.
    """
    exported = exports(text)
    if exported is None or not set(names) <= exported.keys():
        raise ValueError(
            f"only a file of imports can be reduced, and only to names that it exports: {sorted(exported or ())}"
        )
    if not exported:
        return text  # a docstring
    kept = [name for name in exported if name in names]
    lines: dict[str, list[str]] = {}
    for name in kept:
        module, original = exported[name]
        lines.setdefault(module, []).append(original if original == name else f"{original} as {name}")
    docstrings = (node for node in ast.parse(text).body if isinstance(node, ast.Expr))
    parts = [
        [ast.get_source_segment(text, node) or "" for node in docstrings],
        [f"from {module} import {', '.join(imported)}" for module, imported in lines.items()],
        [_ALL + json.dumps(sorted(kept))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def is_reduced(content: bytes, text: str) -> bool:
    """Return whether a file is what `reduced` makes of an `__init__.py` for the names that the file itself lists.

    Args:
        content: Content of the file in question. Nothing in it is trusted.
        text: What `read_init` returned for the subpackage itself.
    """
    try:
        names = json.loads(content.decode("utf-8").rstrip("\n").rpartition(f"\n{_ALL}")[2])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return False
        return reduced(text, names).encode("utf-8") == content
    except (ValueError, RecursionError):
        return False
