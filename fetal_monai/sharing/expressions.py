"""Judge `$` expressions by their syntax tree, without evaluating them.

The rule: every part of the tree must be of a kind that is known here, and

- a name is a parameter of a lambda or comprehension, a pure builtin, or imported by the configs and then judged with
  its whole chain of attributes by `names.look_up`;
- no expression yields a module: neither bare, nor through a reference to an import. So a module cannot be handed to
  anything that would take it apart;
- attributes of everything else pass `attributes.attribute_refusal`.

References (`@id`) are replaced first as MONAI does it, by its own code: as text, also within quotes, with `#` read as
`::`. The tree is that of the text which would be evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard, overload

from monai.bundle import ReferenceResolver

from fetal_monai.sharing.allowed import BUILTINS, FLAGS, LOCATED_ARGUMENTS
from fetal_monai.sharing.attributes import attribute_refusal
from fetal_monai.sharing.names import Name, is_importable, look_up
from fetal_monai.sharing.paths import is_data_file, path_refusal

REFERENCES = "__local_refs"  # how MONAI calls the dictionary of resolved references

_PLAIN = (
    *(ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.Set, ast.List, ast.Tuple, ast.FormattedValue, ast.Starred, ast.Slice),
    *(ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
_LONGEST = 10_000  # characters: more than this makes Python's parser a risk, and nobody could read it
_CUDNN_SWITCHES = frozenset({"benchmark", "deterministic", "enabled", "allow_tf32"})
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that an expression names.

    Attributes:
        kind: "name", "path", "reference" or "syntax".
        what: How it is written.
        refusal: Why it is refused; empty if it is not.
    """

    kind: str
    what: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression sees.

    Attributes:
        bindings: Imported names, each with the module or object that it stands for.
        imports: Ids of the config items that are import statements: their values are modules.
    """

    bindings: Mapping[str, str]
    imports: frozenset[str]

    def reference_refusal(self, identifier: str) -> str:
        """Why a reference or macro may not point there; empty if it may."""
        parents = {parent for item in self.imports if (parent := item.rpartition("::")[0])}
        for item in (*self.imports, *parents):
            if identifier == item or item.startswith(f"{identifier}::") or identifier.startswith(f"{item}::"):
                return "it refers to imported modules"
        return "it refers to the whole config" if not identifier else ""


def with_references(expression: str) -> str:
    """The text that MONAI evaluates for an expression (which begins with `$`), without the `$`."""
    references = ReferenceResolver.match_refs_pattern(expression)
    return str(ReferenceResolver.update_refs_pattern(expression, dict.fromkeys(references)))[1:]


def import_statement(source: str) -> ast.Import | ast.ImportFrom | None:
    """The import statement that MONAI runs for a text, if it is one: it looks at the first statement only.

    Raises:
        ValueError: if Python cannot parse it.
    """
    body = _parsed(source, "exec").body
    return body[0] if body and isinstance(body[0], ast.Import | ast.ImportFrom) else None


def mentions(source: str, surroundings: Surroundings) -> list[Mention]:
    """List what an expression names.

    Args:
        source: as `with_references` gives it; not an import statement.
        surroundings: what it sees.
    """
    try:
        return list(_Walk(surroundings).visit(_parsed(source, "eval").body, frozenset()))
    except (ValueError, RecursionError) as error:
        return [Mention("syntax", source[:60], str(error))]


def located_refusal(argument: str, text: str) -> str:
    """Why the text of an argument that names a class, such as `reader`, is refused; empty if it is not."""
    package = LOCATED_ARGUMENTS[argument]
    name = look_up(text if "." in text else f"{package}.{text}")
    ours = name.home.startswith((f"{package}.", f"fetal_{package}."))
    return name.refusal or ("" if ours and name.is_callable else f"it is no class of {package}")


def dotted_refusal(text: str) -> str | None:
    """Why a text that reads as `module.name` is refused: a component may import it. None if it is no such name."""
    if not _DOTTED.fullmatch(text) or is_data_file(text) or not is_importable(text.split(".")[0]):
        return None
    return look_up(text).refusal


@overload
def _parsed(source: str, mode: Literal["exec"]) -> ast.Module: ...


@overload
def _parsed(source: str, mode: Literal["eval"]) -> ast.Expression: ...


def _parsed(source: str, mode: str) -> ast.AST:
    if len(source) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters")
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"Python cannot parse it: {error}") from error


class _Walk:
    """Walks through one tree. `local` are the parameters in sight: they hold values, which are no modules."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def visit(self, node: ast.AST, local: frozenset[str]) -> Iterator[Mention]:
        match node:
            case ast.Name() | ast.Attribute():
                yield from self._chain(node, local)
            case ast.Call():
                yield from self._call(node, local)
            case ast.Subscript():
                yield from self._subscript(node, local)
            case ast.Compare():
                yield from self.visit(node.left, local)
                for operator, right in zip(node.ops, node.comparators, strict=True):
                    if not (isinstance(operator, ast.In | ast.NotIn) and self._is_environment(right, local)):
                        yield from self.visit(right, local)
            case ast.Constant(value=str(text)):
                yield from _text(text)
            case ast.Constant():
                pass
            case ast.BinOp(op=ast.Add()):
                yield from self.visit(node.left, local)
                yield from self._continuation(node.right, local)
            case ast.JoinedStr():
                for index, part in enumerate(node.values):
                    visited = self._continuation(part, local) if index else self.visit(part, local)
                    yield from visited
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield from _argument(key.value, value)
                yield from self._children(node, local)
            case ast.Lambda():
                yield from self._lambda(node, local)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                yield from self._comprehension(node, local)
            case ast.BinOp():
                yield from self._children(node, local)
            case _ if isinstance(node, _PLAIN):
                yield from self._children(node, local)
            case _:
                yield Mention("syntax", type(node).__name__, f"{type(node).__name__} does not belong in a config")
                yield from self._children(node, local)

    def _continuation(self, node: ast.expr, local: frozenset[str]) -> Iterator[Mention]:
        """What is appended to another text, so that a `/` at its beginning is a separator."""
        match node:
            case ast.Constant(value=str(text)):
                yield from _text(text, continues=True)
            case ast.IfExp():
                yield from self.visit(node.test, local)
                yield from self._continuation(node.body, local)
                yield from self._continuation(node.orelse, local)
            case _:
                yield from self.visit(node, local)

    def _children(self, node: ast.AST, local: frozenset[str]) -> Iterator[Mention]:
        for child in ast.iter_child_nodes(node):
            yield from self.visit(child, local)

    def _chain(self, node: ast.expr, local: frozenset[str], *, call: ast.Call | None = None) -> Iterator[Mention]:
        """A name or value with its attributes; `call` is what calls it on the spot."""
        base, attributes = _unrolled(node)
        if dotted := self._imported(node, local):
            yield Mention("name", dotted, _use_refusal(look_up(dotted), call))
            return
        if isinstance(base, ast.Name) and base.id not in local:
            pure = base.id in BUILTINS
            yield Mention("name", base.id, "" if pure else f"{base.id} is neither imported nor a pure builtin")
        elif attributes[:1] == ["__name__"] and _is_type_of_one(base):
            # `type(x).__name__` is a text. `type` may serve nothing else: it would give classes back.
            yield from self.visit(base.args[0], local)
            attributes = attributes[1:]
        elif not isinstance(base, ast.Name):
            yield from self.visit(base, local)
        for index, attribute in enumerate(attributes):
            last_call = call if index == len(attributes) - 1 else None
            if refusal := _value_attribute_refusal(base, attribute, last_call):
                yield Mention("name", f".{attribute}", refusal)

    def _call(self, node: ast.Call, local: frozenset[str]) -> Iterator[Mention]:
        if self._is_cudnn_switch(node, local):
            yield Mention("name", ast.unparse(node), "")
            return
        if isinstance(node.func, ast.Name | ast.Attribute):
            yield from self._chain(node.func, local, call=node)
        else:
            yield from self.visit(node.func, local)
        for argument in node.args:
            yield from self.visit(argument, local)
        for keyword in node.keywords:
            if keyword.arg:
                yield from _argument(keyword.arg, keyword.value)
            yield from self.visit(keyword.value, local)

    def _subscript(self, node: ast.Subscript, local: frozenset[str]) -> Iterator[Mention]:
        if isinstance(node.value, ast.Name) and node.value.id == REFERENCES:
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(key, str):
                yield Mention("reference", f"@{key}", self._surroundings.reference_refusal(key))
            else:
                yield Mention("reference", REFERENCES, "which reference this is, is computed")
            return
        if not self._is_environment(node.value, local):
            yield from self.visit(node.value, local)
        yield from self.visit(node.slice, local)

    def _lambda(self, node: ast.Lambda, local: frozenset[str]) -> Iterator[Mention]:
        arguments = node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default:
                yield from self.visit(default, local)
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        yield from self.visit(node.body, local | {argument.arg for argument in every if argument})

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, local: frozenset[str]
    ) -> Iterator[Mention]:
        # Python evaluates the first iterable outside, where the targets are not in sight.
        yield from self.visit(node.generators[0].iter, local)
        for generator in node.generators:
            for target in ast.walk(generator.target):
                if isinstance(target, ast.Name):
                    local |= {target.id}
                elif not isinstance(target, ast.Tuple | ast.List | ast.Starred | ast.expr_context):
                    # `for torch.nn.Module.forward in [...]` would assign to it.
                    yield Mention("syntax", ast.unparse(generator.target), "it assigns to something else")
        for index, generator in enumerate(node.generators):
            for part in (*([generator.iter] if index else []), *generator.ifs):
                yield from self.visit(part, local)
        for result in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            yield from self.visit(result, local)

    def _is_environment(self, node: ast.expr, local: frozenset[str]) -> bool:
        """Whether this is `os.environ`, which may be read by key."""
        return self._imported(node, local) == "os.environ"

    def _is_cudnn_switch(self, node: ast.Call, local: frozenset[str]) -> bool:
        """Whether this is `setattr(torch.backends.cudnn, "benchmark", True)`, which the model zoo's bundles say."""
        match node:
            case ast.Call(
                func=ast.Name(id="setattr"),
                args=[module, ast.Constant(value=switch), ast.Constant(value=bool())],
                keywords=[],
            ):
                plain = "setattr" not in local and "setattr" not in self._surroundings.bindings
                cudnn = self._imported(module, local) == "torch.backends.cudnn"
                return plain and cudnn and switch in _CUDNN_SWITCHES
        return False

    def _imported(self, node: ast.expr, local: frozenset[str]) -> str | None:
        """The dotted name of what was imported; None for everything else."""
        base, attributes = _unrolled(node)
        if not isinstance(base, ast.Name) or base.id in local or base.id not in self._surroundings.bindings:
            return None
        return ".".join([self._surroundings.bindings[base.id], *attributes])


def _unrolled(node: ast.expr) -> tuple[ast.expr, list[str]]:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return node, attributes


def _is_type_of_one(node: ast.expr) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "type"
        and len(node.args) == 1
        and not node.keywords
    )


def _use_refusal(name: Name, call: ast.Call | None) -> str:
    if name.refusal:
        return name.refusal
    if name.is_module:
        return "it yields a module, which could be taken apart elsewhere"
    if name.judged_by_arguments:
        return "its arguments decide what it imports or unpickles: write it as a component with a _target_"
    if name.home == "torch.load":
        keywords = {keyword.arg: keyword.value for keyword in call.keywords} if call else {}
        if "weights_only" not in keywords:  # its value is judged as that of any flag
            return "a pickle runs code unless weights_only=True is written there"
    return ""


def _value_attribute_refusal(base: ast.expr, attribute: str, call: ast.Call | None) -> str:
    if attribute in ("format", "format_map"):
        plain = isinstance(base, ast.Constant) and isinstance(base.value, str) and "_" not in base.value
        return "" if plain and call else f".{attribute} looks up attributes that its text names"
    if attribute == "copy" and call and call.args:
        return ".copy of a path writes files; that of a list or dictionary has no argument"
    if attribute == "replace" and (call is None or len(call.args) < 2 or _has_star(call)):
        return ".replace of a path moves files; that of a text has two arguments"
    return attribute_refusal(attribute, called=call is not None)


def _has_star(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def _argument(name: str, value: ast.expr) -> Iterator[Mention]:
    """An argument, or a dictionary's key that may become one."""
    if name in FLAGS and not (isinstance(value, ast.Constant) and value.value is FLAGS[name]):
        yield Mention("name", name, f"anything but {FLAGS[name]} may run code")
    if name in LOCATED_ARGUMENTS and not (isinstance(value, ast.Constant) and value.value is None):
        text = value.value if isinstance(value, ast.Constant) else None
        refusal = located_refusal(name, text) if isinstance(text, str) else "it imports what is computed here"
        yield Mention("name", name, refusal)


def _text(text: str, *, continues: bool = False) -> Iterator[Mention]:
    if (refusal := dotted_refusal(text)) is not None:
        yield Mention("name", text, refusal)
    # One `/` is a separator, as in `name.split('/')`.
    elif text != "/" and (refusal := path_refusal(text, continues=continues)) is not None:
        yield Mention("path", text, refusal)
