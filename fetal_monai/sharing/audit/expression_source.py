"""The source text that MONAI would evaluate for a `$` expression, and its syntax tree."""

from __future__ import annotations

import ast

from monai.bundle import ConfigExpression, ReferenceResolver

REFERENCES = "__local_refs"  # MONAI's name for the dictionary of resolved references
_LONGEST = 10_000  # characters: longer input is a risk for Python's parser, and unreadable


def with_references(expression: str) -> str:
    """Return the source that MONAI evaluates for an expression, without the leading `$`.

    MONAI's own code replaces the references (`@id`): textually, also within quotes, with `#` read as `::`.
    """
    references = ReferenceResolver.match_refs_pattern(expression)
    return str(ReferenceResolver.update_refs_pattern(expression, dict.fromkeys(references)))[1:]


def parsed_expression(expression: str) -> ast.expr:
    """Return the syntax tree of an expression that is not an import statement.

    Raises:
        SyntaxError: If Python cannot parse it.
    """
    return _parsed(with_references(expression), "eval").body  # type: ignore[attr-defined]


def import_statement(value: object) -> ast.Import | ast.ImportFrom | None:
    """Return the import statement in a value of a config, or None. MONAI runs only the first statement."""
    if not isinstance(value, str) or not ConfigExpression.is_expression(value):
        return None
    try:
        body = _parsed(with_references(value), "exec").body  # type: ignore[attr-defined]
    except SyntaxError:  # reported as an expression
        return None
    return body[0] if body and isinstance(body[0], ast.Import | ast.ImportFrom) else None


def bound_names(statement: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    """Return the names that an import binds, with possible duplicates, each with the dotted name that it stands for."""
    module = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
    return [(alias.asname or alias.name, f"{module}{alias.name}") for alias in statement.names]


def reference_of(node: ast.AST) -> str | None:
    """Return the id that a node refers to, or None if it is not a reference."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(identifier))) if name == REFERENCES:
            return identifier
    return None


def _parsed(source: str, mode: str) -> ast.AST:
    if len(source) > _LONGEST:
        raise SyntaxError(f"it has more than {_LONGEST} characters")
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(f"Python cannot parse it: {error}") from error
