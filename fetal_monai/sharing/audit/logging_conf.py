"""Judge a `logging.conf`.

MONAI passes it to `logging.config.fileConfig` before it reads any config. That function evaluates `class`, `args`,
`kwargs` and `defaults` as Python, after replacing `%(name)s` in them by other options of the same section. A handler
that writes to a file could also write the config or module that is read next. Therefore only known sections and
options are allowed, with classes from a short list and plain values, and only `.log` files with lines of known
fields.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from typing import Any

from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse
from fetal_monai.sharing.audit.written_paths import judge_written_file

_CONSOLE = frozenset({"StreamHandler", "NullHandler"})
_FILES = frozenset({"FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"})
HANDLERS = _CONSOLE | _FILES
"""Handlers that write to the console or to files; others send over a network."""

_MODULES = ("", "logging.", "handlers.", "logging.handlers.")
_FORMATTERS = frozenset({"logging.Formatter"})
_STREAMS = frozenset({"sys.stdout", "sys.stderr"})
_PLAIN = (ast.Expression, ast.Tuple, ast.List, ast.Dict, ast.Constant, ast.Load, ast.UnaryOp, ast.USub)
_OPTIONS = {
    "logger": frozenset({"level", "handlers", "propagate", "qualname"}),
    "handler": frozenset({"class", "level", "formatter", "args", "kwargs"}),
    "formatter": frozenset({"format", "datefmt", "style", "class"}),
}
_LISTS = frozenset({"loggers", "handlers", "formatters"})
_FIELDS = (
    "asctime created filename funcName levelname levelno lineno message module msecs name pathname process "
    "processName relativeCreated taskName thread threadName"
)
# Fields and the text between them, without quotes and braces, which could make a config of a line.
_FORMAT = re.compile(rf"(?:%\((?:{'|'.join(_FIELDS.split())})\)-?\d*\.?\d*[sdf]|[A-Za-z0-9 \t:.,;|/_=()\[\]<>-])*")


def audit_logging_conf(file: str, content: bytes) -> list[AuditEntry]:
    """Judge the file.

    Args:
        file: Its name within the bundle.
        content: Content of the whole file.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(content.decode("utf-8"))
    except (configparser.Error, ValueError) as error:
        return [AuditEntry(file, "", "logging", file, True, f"it cannot be read: {error}")]
    entries: list[AuditEntry] = []
    # Options of the DEFAULT section apply to every section.
    for section in parser.sections():
        options = dict(parser.items(section, raw=True))
        for option, value in options.items():
            verdict = _judge(section, option, value, options)
            if option in ("class", "args", "kwargs") or not verdict.allowed:
                entries.append(
                    AuditEntry(file, f"{section}#{option}", "logging", value, not verdict.allowed, verdict.why)
                )
    return entries


def _judge(section: str, option: str, value: str, options: dict[str, str]) -> Verdict:
    kind = section.partition("_")[0]
    if section in _LISTS:
        return allow() if option == "keys" else refuse("not an option of this section")
    if option not in _OPTIONS.get(kind, ()):
        return refuse("not an option that a logging.conf needs, and fileConfig may evaluate it")
    if option == "class":
        if kind == "formatter":
            return allow("a formatter") if value in _FORMATTERS else refuse(f"not one of {', '.join(_FORMATTERS)}")
        known = any(value == f"{module}{handler}" for module in _MODULES for handler in HANDLERS)
        return allow("a handler") if known else refuse(f"not one of {', '.join(sorted(HANDLERS))}")
    if option in ("args", "kwargs"):
        return _judge_arguments(option, value, writes=options.get("class", "").rpartition(".")[2] in _FILES)
    if option in ("format", "datefmt"):
        plain = option == "datefmt" or _FORMAT.fullmatch(value)
        return (
            allow()
            if plain and "\n" not in value
            else refuse("expected one line of fields such as %(message)s and plain characters")
        )
    return refuse("other options are inserted") if "%(" in value else allow()


def _judge_arguments(option: str, value: str, *, writes: bool) -> Verdict:
    if "%(" in value:
        return refuse("other options are inserted before it is evaluated")
    try:
        tree = ast.parse(value.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return refuse(f"Python cannot parse it: {error}")
    if refused := next(_not_plain(tree), None):
        return refuse(refused)
    if not writes:
        return allow("evaluated by fileConfig")
    file = _file_name(option, tree.body)
    if file is None:
        return allow("evaluated by fileConfig") if option == "kwargs" else refuse("the first value is not a file name")
    return judge_written_file(file, (".log",)) if isinstance(file, str) else refuse("the file name is not a string")


def _file_name(option: str, node: ast.expr) -> Any:
    """Return the file name in a handler's arguments, or None if they contain none."""
    match option, node:
        case "args", ast.Tuple(elts=[ast.Constant(value=name), *_]) | ast.List(elts=[ast.Constant(value=name), *_]):
            return name
        case "args", ast.Tuple(elts=[]):
            return ""
        case "kwargs", ast.Dict(keys=keys, values=values):
            named = {key.value: item for key, item in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
            file = named.get("filename")
            return file.value if isinstance(file, ast.Constant) else file
    return None


def _not_plain(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute | ast.Name):
        if ast.unparse(node) not in _STREAMS:
            yield f"{ast.unparse(node)} is neither a plain value nor one of {', '.join(sorted(_STREAMS))}"
        return
    if not isinstance(node, _PLAIN) or (isinstance(node, ast.Dict) and None in node.keys):
        yield f"{ast.unparse(node)[:40]} is not a plain value, and is evaluated as Python"
    for child in ast.iter_child_nodes(node):
        yield from _not_plain(child)
