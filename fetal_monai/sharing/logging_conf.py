"""Judge a `logging.conf`.

MONAI hands it to `logging.config.fileConfig`, which evaluates `class`, `args` and `kwargs` of every handler as Python,
after `%(name)s` in them was replaced by other options of the same section. So they are read here as they are written,
nothing in them may be replaced, and what they say must be a class of a short list and plain values.
"""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator

from fetal_monai.sharing.entry import Entry
from fetal_monai.sharing.paths import path_refusal

HANDLERS = frozenset({"StreamHandler", "NullHandler", "FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"})
"""Handlers that write to the console or to files; others send to a network."""

_CLASSES = frozenset(
    {*HANDLERS, *(f"{module}.{name}" for module in ("logging", "handlers", "logging.handlers") for name in HANDLERS)}
)
_FORMATTERS = frozenset({"logging.Formatter"})
_STREAMS = frozenset({"sys.stdout", "sys.stderr"})
_PLAIN = (ast.Expression, ast.Tuple, ast.List, ast.Dict, ast.Constant, ast.Load)


def audit_logging_conf(file: str, content: bytes) -> list[Entry]:
    """Judge the file.

    Args:
        file: its name within the bundle.
        content: of the whole file.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(content.decode("utf-8"))
    except (configparser.Error, ValueError) as error:
        return [Entry(file, "", "logging", file, True, f"it cannot be read: {error}")]
    entries: list[Entry] = []
    # Options of the DEFAULT section hold in every section.
    for section in parser.sections():
        options = dict(parser.items(section, raw=True))
        if "class" in options:
            allowed = _FORMATTERS if section.startswith("formatter") else _CLASSES
            refusal = "" if options["class"] in allowed else f"not one of {', '.join(sorted(HANDLERS))}, Formatter"
            entries.append(_entry(file, section, "class", options["class"], refusal))
        for option in ("args", "kwargs"):
            if option in options:
                entries.append(_entry(file, section, option, options[option], _value_refusal(options[option])))
    return entries


def _entry(file: str, section: str, option: str, value: str, refusal: str) -> Entry:
    return Entry(file, f"{section}#{option}", "logging", value, bool(refusal), refusal or "evaluated by fileConfig")


def _value_refusal(value: str) -> str:
    if "%(" in value:
        return "other options are put in before it is evaluated"
    try:
        tree = ast.parse(value.strip(), mode="eval")
        return next(_refusals(tree), "")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"Python cannot parse it: {error}"


def _refusals(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute | ast.Name):
        if ast.unparse(node) not in _STREAMS:
            yield f"{ast.unparse(node)} is neither a plain value nor one of {', '.join(sorted(_STREAMS))}"
        return
    if not isinstance(node, _PLAIN):
        yield f"{type(node).__name__} is no plain value, and is evaluated as Python"
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and (refusal := path_refusal(node.value)):
        yield f"{node.value}: {refusal}"
    for child in ast.iter_child_nodes(node):
        yield from _refusals(child)
