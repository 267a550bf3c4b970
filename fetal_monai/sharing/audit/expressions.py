"""Judge `$` expressions by their syntax tree, without evaluating them.

Every node of the tree must be of an allowed type; there is no default that allows anything.

- A name is a parameter of a lambda or comprehension, a pure builtin, or imported by the configs. An imported name is
  looked up with its whole chain of attributes (names.py), and no expression may yield a module.
- Calls are limited to reviewed names whose arguments are always harmless, the functions in calls.py, the methods in
  attributes.py, and references. A component whose arguments matter may be neither called nor passed on.
- Attributes of values may be read if attributes.py lists them.

The tree is that of the source that would be evaluated, after MONAI's own code has inserted the references.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from fetal_monai.sharing.audit.allow_list import BUILTINS, FLAGS
from fetal_monai.sharing.audit.attributes import judge_method, judge_read
from fetal_monai.sharing.audit.calls import CALLS, RETURN_FUNCTIONS
from fetal_monai.sharing.audit.expression_source import parsed_expression, reference_of
from fetal_monai.sharing.audit.known_texts import KnownTexts
from fetal_monai.sharing.audit.names import Name, is_importable, look_up
from fetal_monai.sharing.audit.paths import PathKind, is_data_file, judge_path
from fetal_monai.sharing.audit.references import References
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

_PLAIN = (
    *(ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.Set, ast.List, ast.Tuple, ast.FormattedValue, ast.Starred, ast.Slice),
    *(ast.Dict, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
_CUDNN_SWITCHES = frozenset({"benchmark", "deterministic", "enabled", "allow_tf32"})
_PRINT_KEYWORDS = frozenset({"sep", "end", "flush"})
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that an expression mentions.

    Attributes:
        kind: "name", "path", "reference" or "syntax".
        what: Its source text.
        verdict: Whether it is allowed there.
    """

    kind: str
    what: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression can refer to.

    Attributes:
        bindings: Imported names, each with the dotted name that it stands for.
        references: Judges what a reference points to.
        texts: Finds the strings that a value can be.
    """

    bindings: Mapping[str, str]
    references: References
    texts: KnownTexts


def mentions(expression: str, surroundings: Surroundings) -> list[Mention]:
    """List what an expression mentions.

    Args:
        expression: The expression with its `$`, not an import statement.
        surroundings: What it can refer to.
    """
    try:
        return list(_Walk(surroundings).visit(parsed_expression(expression), frozenset()))
    except (SyntaxError, RecursionError) as error:
        return [Mention("syntax", expression[:60], refuse(str(error)))]


def dotted_name(node: ast.expr, local: frozenset[str], bindings: Mapping[str, str]) -> str | None:
    """Return the dotted name of something imported, or None for everything else.

    Args:
        node: Part of an expression.
        local: Parameters in scope.
        bindings: Imported names, each with the dotted name that it stands for.
    """
    base, attributes = _unrolled(node)
    if not isinstance(base, ast.Name) or base.id in local or base.id not in bindings:
        return None
    return ".".join([bindings[base.id], *attributes])


def judge_dotted(text: str) -> Verdict | None:
    """Judge a string of the form `module.name`, which a component may import. None if it is not such a name."""
    if not _DOTTED.fullmatch(text) or is_data_file(text) or not is_importable(text.split(".")[0]):
        return None
    return look_up(text).verdict


class _Walk:
    """Walks through one tree. `local` are the parameters in scope: their values are never modules."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def visit(self, node: ast.AST, local: frozenset[str]) -> Iterator[Mention]:
        if (identifier := reference_of(node)) is not None:
            yield Mention("reference", f"@{identifier}", self._surroundings.references.judge(identifier))
            return
        match node:
            case ast.Name() | ast.Attribute():
                yield from self._value(node, local)
            case ast.Call():
                yield from self._call(node, local)
            case ast.Subscript():
                if dotted_name(node.value, local, self._surroundings.bindings) != "os.environ":
                    yield from self.visit(node.value, local)
                yield from self.visit(node.slice, local)
            case ast.Compare():
                yield from self.visit(node.left, local)
                for right in node.comparators:
                    if dotted_name(right, local, self._surroundings.bindings) != "os.environ":
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
                    yield from self._continuation(part, local) if index else self.visit(part, local)
            case ast.Lambda():
                yield from self._lambda(node, local)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                yield from self._comprehension(node, local)
            case _:
                if not isinstance(node, (ast.BinOp, *_PLAIN)):
                    why = f"{type(node).__name__} is not allowed in a config"
                    yield Mention("syntax", type(node).__name__, refuse(why))
                for child in ast.iter_child_nodes(node):
                    yield from self.visit(child, local)

    def _continuation(self, node: ast.expr, local: frozenset[str]) -> Iterator[Mention]:
        """Visit a string that is appended to another one, so that a leading `/` is a separator."""
        match node:
            case ast.Constant(value=str(text)):
                yield from _text(text, continues=True)
            case ast.IfExp():
                yield from self.visit(node.test, local)
                yield from self._continuation(node.body, local)
                yield from self._continuation(node.orelse, local)
            case _:
                yield from self.visit(node, local)

    def _value(self, node: ast.Name | ast.Attribute, local: frozenset[str]) -> Iterator[Mention]:
        """Visit a name or attribute that is not called directly."""
        if dotted := dotted_name(node, local, self._surroundings.bindings):
            yield Mention("name", dotted, _judge_passed_on(look_up(dotted)))
        elif isinstance(node, ast.Name):
            known = node.id in local or (node.id in BUILTINS and node.id != "print")
            why = f"{node.id} is neither imported nor a pure builtin"
            yield Mention("name", node.id, allow() if known else refuse(why))
        elif node.attr == "__name__" and self._is_type_of_one(node.value, local):
            # `type(x).__name__` is a string. `type` is allowed for nothing else, since it returns classes.
            yield from self.visit(node.value.args[0], local)
        else:
            yield from self.visit(node.value, local)
            yield Mention("name", f".{node.attr}", judge_read(node.attr))

    def _call(self, node: ast.Call, local: frozenset[str]) -> Iterator[Mention]:
        function = node.func
        if self._is_cudnn_switch(node, local):
            yield Mention("name", ast.unparse(node), allow())
            return
        if dotted := dotted_name(function, local, self._surroundings.bindings):
            yield Mention("name", dotted, self._judge_called(look_up(dotted), node))
        elif isinstance(function, ast.Name):
            yield Mention("name", function.id, _judge_builtin(function.id, node, local))
        elif isinstance(function, ast.Attribute):
            yield from self.visit(function.value, local)
            yield Mention("name", f".{function.attr}", judge_method(node, function.attr, function.value))
        else:
            yield from self.visit(function, local)
            if reference_of(function) is None and not self._returns_function(function, local):
                yield Mention("syntax", ast.unparse(function)[:60], refuse("what it calls is not known"))
        for argument in node.args:
            yield from self.visit(argument, local)
        for keyword in node.keywords:
            if keyword.arg in FLAGS and not _has_required_value(keyword):
                yield Mention("name", keyword.arg, refuse(f"anything but {FLAGS[keyword.arg]} may run code"))
            yield from self.visit(keyword.value, local)

    def _judge_called(self, name: Name, call: ast.Call) -> Verdict:
        if name.verdict.allowed and name.home in CALLS:
            return CALLS[name.home](call, self._surroundings.texts)
        return _judge_passed_on(name)

    def _returns_function(self, node: ast.expr, local: frozenset[str]) -> bool:
        dotted = dotted_name(node.func, local, self._surroundings.bindings) if isinstance(node, ast.Call) else None
        return dotted is not None and look_up(dotted).home in RETURN_FUNCTIONS

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
        # Python evaluates the first iterable outside, where the targets are not in scope.
        yield from self.visit(node.generators[0].iter, local)
        for generator in node.generators:
            for target in ast.walk(generator.target):
                if isinstance(target, ast.Name):
                    local |= {target.id}
                elif not isinstance(target, ast.Tuple | ast.List | ast.Starred | ast.expr_context):
                    # `for torch.nn.Module.forward in [...]` would assign to it.
                    yield Mention("syntax", ast.unparse(generator.target), refuse("it assigns to something else"))
        for index, generator in enumerate(node.generators):
            for part in (*([generator.iter] if index else []), *generator.ifs):
                yield from self.visit(part, local)
        for result in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            yield from self.visit(result, local)

    def _is_type_of_one(self, node: ast.expr, local: frozenset[str]) -> TypeGuard[ast.Call]:
        match node:
            case ast.Call(func=ast.Name(id="type"), args=[argument], keywords=[]):
                return self._is_builtin("type", local) and not isinstance(argument, ast.Starred)
        return False

    def _is_builtin(self, name: str, local: frozenset[str]) -> bool:
        """Return whether a name is neither a parameter nor imported."""
        return name not in local and name not in self._surroundings.bindings

    def _is_cudnn_switch(self, node: ast.Call, local: frozenset[str]) -> bool:
        """Return whether this is `setattr(torch.backends.cudnn, "benchmark", True)`, as in bundles of the model zoo."""
        match node:
            case ast.Call(
                func=ast.Name(id="setattr"),
                args=[module, ast.Constant(value=switch), ast.Constant(value=bool())],
                keywords=[],
            ):
                cudnn = dotted_name(module, local, self._surroundings.bindings) == "torch.backends.cudnn"
                return self._is_builtin("setattr", local) and cudnn and switch in _CUDNN_SWITCHES
        return False


def _unrolled(node: ast.expr) -> tuple[ast.expr, list[str]]:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return node, attributes


def _judge_passed_on(name: Name) -> Verdict:
    """Judge a name that may be called with any arguments, here or wherever it is passed to."""
    if not name.verdict.allowed:
        return name.verdict
    if name.is_module:
        return refuse("it yields a module, whose attributes could be used elsewhere")
    if name.judged_by_arguments:
        return refuse("its arguments decide what it reads, writes or runs: use it as a component with a _target_")
    return allow()


def _judge_builtin(name: str, call: ast.Call, local: frozenset[str]) -> Verdict:
    if name in local:
        return refuse(f"{name} is a parameter: what it calls is not known")
    if name not in BUILTINS:
        return refuse(f"{name} is neither imported nor a pure builtin")
    if name == "print" and not {keyword.arg for keyword in call.keywords} <= _PRINT_KEYWORDS:
        return refuse("print may only write to the console")
    return allow()


def _has_required_value(keyword: ast.keyword) -> bool:
    return isinstance(keyword.value, ast.Constant) and keyword.value.value is FLAGS[str(keyword.arg)]


def _text(text: str, *, continues: bool = False) -> Iterator[Mention]:
    if (verdict := judge_dotted(text)) is not None:
        yield Mention("name", text, verdict)
        return
    path = judge_path(text, continues=continues)
    # A single `/` is a separator, as in `name.split('/')`.
    if text != "/" and path.kind is not PathKind.NO_PATH:
        yield Mention("path", text, refuse(path.why) if path.refused else allow(path.why))
