"""A room's `__init__.py`, cut down to the names that a bundle uses.

A room imports every module in it, and these import packages that a bundle may not need: whoever reads PNG frames need
not have a decoder of videos.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection

_ALL = "__all__ = "


def exports(text: str) -> dict[str, tuple[str, str]] | None:
    """Where a room's `__init__.py` takes its names from.

    Args:
        text: of the file.

    Returns:
        The module and the name there, by the name in the room, in the file's order. None if the file has statements
        beside its docstring, `from ... import ...` and `__all__`: then it can be taken as a whole only.
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


def shortened(text: str, names: Collection[str]) -> str:
    """Leave only some names in a room's `__init__.py`; the result depends on nothing else.

    Args:
        text: of the file.
        names: what shall stay.

    Raises:
        ValueError: if the file has other statements, or imports no such name.
    """
    room = exports(text)
    if room is None or not set(names) <= room.keys():
        raise ValueError(f"only a room can be cut down, and only to its names: {sorted(room or ())}")
    if not room:
        return text  # a docstring
    kept = [name for name in room if name in names]
    lines: dict[str, list[str]] = {}
    for name in kept:
        module, original = room[name]
        lines.setdefault(module, []).append(original if original == name else f"{original} as {name}")
    docstrings = (node for node in ast.parse(text).body if isinstance(node, ast.Expr))
    parts = [
        [ast.get_source_segment(text, node) or "" for node in docstrings],
        [f"from {module} import {', '.join(imported)}" for module, imported in lines.items()],
        [_ALL + json.dumps(sorted(kept))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def is_shortened(content: bytes, text: str) -> bool:
    """Whether a file is what `shortened` makes of a room for the names that the file itself lists.

    Args:
        content: of the file in question; nothing in it is trusted.
        text: of the room's own `__init__.py`.
    """
    try:
        names = json.loads(content.decode("utf-8").rstrip("\n").rpartition(f"\n{_ALL}")[2])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return False
        return shortened(text, names).encode("utf-8") == content
    except (ValueError, RecursionError):
        return False
