"""The strings that a value of a config can be when the bundle runs, found without evaluating it.

A path that a bundle writes to is composed of other items: `$@output_dir + '/model.pt'`. It is known when it consists
of strings, `+`, `os.path.join`, f-strings, either side of an `if`, and references to top-level items that are
themselves known, whichever of the bundle's configs they come from. Everything else is unknown.
"""

from __future__ import annotations

import ast
import itertools
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from fetal_monai.sharing.audit.config_ids import is_relative, split_id
from fetal_monai.sharing.audit.expression_source import parsed_expression, reference_of

Texts: TypeAlias = frozenset[str | None]

_MOST = 256
_DEEPEST = 32


class UnknownTextError(ValueError):
    """A value that is not known before the bundle runs; the message says why."""


class KnownTexts:
    """Finds the strings that values can be.

    Args:
        tops: For each top-level item, all values that it has in any of the bundle's configs, as they are written.
        dotted_name: Returns the dotted name of something imported, or None for anything else.
    """

    def __init__(
        self, tops: Mapping[str, Sequence[Any]], dotted_name: Callable[[ast.expr, frozenset[str]], str | None]
    ) -> None:
        self._tops = tops
        self._dotted_name = dotted_name

    def of_value(self, value: Any, *, seen: frozenset[str] = frozenset()) -> Texts:
        """Return the strings that a value can be, and None if it can be null.

        Args:
            value: The value as it is written in a config.
            seen: Items that it is a part of.

        Raises:
            UnknownTextError: If they are not known.
        """
        if value is None:
            return frozenset({None})
        if not isinstance(value, str):
            raise UnknownTextError(f"it is a {type(value).__name__}, not a string")
        if value.startswith("%"):
            raise UnknownTextError(f"{value} is copied from another place: refer to an item with @")
        if value[:1] in ("$", "@") and is_relative(value):
            raise UnknownTextError(f"{value} depends on where it is: refer to an item by its absolute id")
        if value.startswith("@"):
            return self._of_item(value[1:], seen)
        if value.startswith("$"):
            try:
                return self.of_expression(parsed_expression(value), seen=seen)
            except (SyntaxError, RecursionError) as error:
                raise UnknownTextError(str(error)) from error
        return frozenset({value})

    def name_of(self, value: Any) -> str | None:
        """Return the name in a value: a string, or an expression that is only an imported name. None for others."""
        if not isinstance(value, str) or value[:1] in ("@", "%"):
            return None
        if not value.startswith("$"):
            return value
        try:
            return self._dotted_name(parsed_expression(value), frozenset())
        except SyntaxError:
            return None

    def of_expression(self, node: ast.expr, *, seen: frozenset[str] = frozenset()) -> Texts:
        """Return the strings that a part of an expression can be.

        Raises:
            UnknownTextError: If they are not known.
        """
        if (identifier := reference_of(node)) is not None:
            return self._of_item(identifier, seen)
        match node:
            case ast.Constant(value=str() | None as text):
                return frozenset({text})
            case ast.IfExp(body=first, orelse=second):
                return self.of_expression(first, seen=seen) | self.of_expression(second, seen=seen)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._combined("".join, (left, right), seen)
            case ast.JoinedStr(values=parts):
                return self._combined("".join, [_formatted(part) for part in parts], seen)
            case ast.Call(func=function, args=arguments, keywords=[]) if (
                self._dotted_name(function, frozenset()) == "os.path.join"
            ):
                return self._combined(lambda texts: posixpath.join(*texts), arguments, seen)
        raise UnknownTextError(f"the value of `{ast.unparse(node)}` cannot be known before it runs")

    def _of_item(self, identifier: str, seen: frozenset[str]) -> Texts:
        parts = split_id(identifier)
        if len(parts) != 1 or parts[0] in seen or len(seen) > _DEEPEST:
            raise UnknownTextError(f"@{identifier} is not a top-level item of the config, or refers to itself")
        values = self._tops.get(parts[0], ())
        if not values:
            raise UnknownTextError(f"no config of the bundle has @{identifier}")
        return _limited(text for value in values for text in self.of_value(value, seen=seen | {parts[0]}))

    def _combined(self, join: Callable[[Iterable[str]], str], nodes: Sequence[ast.expr], seen: frozenset[str]) -> Texts:
        choices = [self.of_expression(node, seen=seen) for node in nodes]
        # With None among them Python fails, and nothing is written.
        return _limited(join(texts) for texts in itertools.product(*([t for t in c if t is not None] for c in choices)))


def _formatted(part: ast.expr) -> ast.expr:
    """Return the expression that an f-string inserts unchanged; other parts as they are."""
    if isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None:
        return part.value
    return part


def _limited(texts: Iterable[str | None]) -> Texts:
    found = list(itertools.islice(texts, _MOST + 1))
    if len(found) > _MOST:
        raise UnknownTextError(f"it can be more than {_MOST} strings")
    return frozenset(found)
