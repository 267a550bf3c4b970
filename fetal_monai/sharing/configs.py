"""List and judge what a bundle's configs would run, import, read and write.

Configs of a bundle are merged as the user likes (`--config_file "['train.json','multi_gpu_train.json']"`), so what one
imports, all see, and every rule must hold for each file by itself:

- a `_target_` is written out, never computed or referred to, and names an allowed class or function;
- an expression passes `expressions.mentions`;
- the same imported name stands for the same thing in all files;
- an argument by which MONAI finds a class (`reader`, `writer`, `merger_cls`), a flag such as `weights_only`, and
  `_mode_` are written out too, wherever they stand;
- a macro (`%`) refers to configs of this bundle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monai.bundle import ConfigExpression, ConfigParser, ReferenceResolver

from fetal_monai.sharing.allowed import DEFAULT_BINDINGS, FLAGS, LOCATED_ARGUMENTS
from fetal_monai.sharing.entry import Entry
from fetal_monai.sharing.expressions import (
    Surroundings,
    dotted_refusal,
    import_statement,
    located_refusal,
    mentions,
    with_references,
)
from fetal_monai.sharing.names import look_up, look_up_target
from fetal_monai.sharing.paths import path_refusal

METADATA = "configs/metadata.json"
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a config.

    Attributes:
        file: Name of the config within the bundle.
        identifier: MONAI's id: keys and indices, separated by `::`; without the `+` that merges.
        key: The last part of the id.
        value: A text as MONAI reads it (`#` as `::`, relative ids made absolute), a mapping, list, number, ...
    """

    file: str
    identifier: str
    key: str
    value: Any


def audit_configs(configs: Mapping[str, Any]) -> list[Entry]:
    """Judge all configs of a bundle.

    Args:
        configs: parsed content by file name.
    """
    entries: list[Entry] = []
    items: list[Item] = []
    for file, content in configs.items():
        try:
            items += config_items(file, "", content)
        except (ValueError, RecursionError) as error:
            entries.append(Entry(file, "", "config", file, True, f"MONAI could not read it: {error}"))
    bindings = dict(DEFAULT_BINDINGS)
    imports = set()
    for item in items:
        if statement := import_of(item):
            imports.add(item.identifier)
            entries += _audit_import(item, statement, bindings)
    surroundings = Surroundings(bindings, frozenset(imports))
    for item in items:
        entries += _audit_item(item, surroundings, frozenset(configs))
    return entries


def config_items(file: str, identifier: str, value: Any) -> Iterator[Item]:
    """List every value of a config with its id.

    Args:
        file: name of the config within the bundle.
        identifier: of the value; empty for the whole config.
        value: parsed.
    """
    if isinstance(value, str):
        value = ConfigParser.resolve_relative_ids(identifier, value)
    yield Item(file, identifier, ReferenceResolver.split_id(identifier)[-1], value)
    if isinstance(value, dict | list):
        for key, _, child in ReferenceResolver.iter_subconfigs(identifier, value):
            # A key at the top may be an id itself, of what it replaces: `train#trainer#_target_`.
            name = ReferenceResolver.normalize_id(key)
            name = name if identifier else name.lstrip("+")
            yield from config_items(file, f"{identifier}::{name}" if identifier else name, child)


def import_of(item: Item) -> ast.Import | ast.ImportFrom | None:
    """The import statement that an item is; None for everything else."""
    try:
        return import_statement(with_references(item.value)) if ConfigExpression.is_expression(item.value) else None
    except ValueError:  # is reported as an expression
        return None


def bound_names(statement: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    """The names that an import binds, one of them perhaps twice, each with the dotted name that it stands for."""
    module = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
    return [(alias.asname or alias.name, f"{module}{alias.name}") for alias in statement.names]


def _audit_import(item: Item, statement: ast.Import | ast.ImportFrom, bindings: dict[str, str]) -> Iterator[Entry]:
    for bound, whole in bound_names(statement):
        name = look_up(whole)
        refusal = "" if whole in ("os.path", "os.environ") else name.refusal
        if whole.endswith(".*") or (isinstance(statement, ast.ImportFrom) and statement.level):
            refusal = "what it imports cannot be known"
        elif name.judged_by_arguments:
            refusal = "its arguments decide what it imports or unpickles: write it as a component with a _target_"
        elif whole == "torch.load":
            refusal = "import torch, and call torch.load with weights_only=True"
        if not refusal and bindings.setdefault(bound, whole) != whole:
            refusal = f"{bound} stands for {bindings[bound]} elsewhere"
        yield _entry(item, "import", ast.unparse(statement), refusal, f"as {bound}")


def _audit_item(item: Item, surroundings: Surroundings, files: frozenset[str]) -> Iterator[Entry]:
    value = item.value
    if item.key == "_target_":
        yield _audit_target(item)
    elif item.key == "_mode_":
        known = isinstance(value, str) and value.lower() in ("default", "callable")
        yield _entry(item, "mode", str(value), "" if known else "it starts a debugger, or is computed", "")
    elif item.key in FLAGS:
        refusal = "" if value is FLAGS[item.key] else f"anything but {FLAGS[item.key]} may run code"
        yield _entry(item, "argument", str(value), refusal, item.key)
    elif (argument := _located_argument(item)) and value is not None and not isinstance(value, list):
        yield _audit_located(item, argument)
    elif isinstance(value, dict):
        yield from _audit_mapping(item)
    elif isinstance(value, str) and value.startswith("$"):
        if not import_of(item):
            yield from _audit_expression(item, surroundings)
    elif isinstance(value, str):
        yield from _audit_text(item, surroundings, files)


def _audit_target(item: Item) -> Entry:
    if not isinstance(item.value, str) or item.value[:1] in ("$", "@", "%"):
        return _entry(item, "target", str(item.value), "what it is cannot be known before it runs: write it out", "")
    name = look_up_target(item.value)
    refusal = name.refusal
    if not refusal and name.home == "torch.load":
        refusal = "call it in an expression, with weights_only=True"
    return _entry(item, "target", item.value, refusal, f"is {name.home}")


def _located_argument(item: Item) -> str | None:
    """The argument by which MONAI finds a class, if this is its value or one of its values."""
    parts = item.identifier.split("::")
    if parts[-1].isdigit():
        parts.pop()
    # At the top it is an item of that name, and no argument.
    return parts[-1] if len(parts) > 1 and parts[-1] in LOCATED_ARGUMENTS else None


def _audit_located(item: Item, argument: str) -> Entry:
    if isinstance(item.value, str):
        refusal = located_refusal(argument, item.value.removeprefix("$"))
    else:
        refusal = "what it is cannot be known before it runs: write the name of the class"
    return _entry(item, "argument", str(item.value), refusal, "a class that MONAI looks up by its name")


def _audit_mapping(item: Item) -> Iterator[Entry]:
    value = item.value
    target = value.get("_target_")
    if isinstance(target, str) and "_mode_" in value and look_up_target(target).judged_by_arguments:
        why = "its arguments decide what it imports or unpickles, and these may come later"
        yield _entry(item, "mode", target, why, "")
    if _lists_downloads(item.file) and isinstance(value.get("url"), str):
        checked = value.get("hash_val") and value.get("hash_type") == "sha256"
        why = "" if checked else "what is downloaded is not checked: give hash_val, and hash_type sha256"
        yield _entry(item, "download", value["url"], why, f"sha256 {value.get('hash_val')}")


def _lists_downloads(file: str) -> bool:
    """Whether MONAI reads this file for `download_large_files`."""
    return file.startswith("large_files")


def _audit_expression(item: Item, surroundings: Surroundings) -> Iterator[Entry]:
    source = with_references(item.value)
    found = mentions(source, surroundings)
    named = sorted({mention.what for mention in found if mention.kind == "name"})
    refusals = [f"{mention.what}: {mention.refusal}" for mention in found if mention.refusal]
    yield _entry(item, "expression", item.value, "; ".join(dict.fromkeys(refusals)), ", ".join(named))
    for mention in found:
        if mention.kind == "path" and not mention.refusal:
            yield _entry(item, "path", mention.what, "", "below the working folder or what it is appended to")


def _audit_text(item: Item, surroundings: Surroundings, files: frozenset[str]) -> Iterator[Entry]:
    text: str = item.value
    if text.startswith("%"):
        yield _audit_macro(item, surroundings, files)
    elif text.startswith("@"):
        if refusal := surroundings.reference_refusal(text[1:]):
            yield _entry(item, "reference", text, refusal, "")
    elif (refusal_ := dotted_refusal(text)) is not None:
        yield _entry(item, "name", text, refusal_, "a name that a component may look up")
    elif item.file.endswith(METADATA) or (item.key == "url" and _lists_downloads(item.file)):
        return  # addresses to read, and downloads that are judged with their checksums
    elif (refusal_ := path_refusal(text)) is not None:
        yield _entry(item, "path", text, refusal_, "below the working folder")


def _audit_macro(item: Item, surroundings: Surroundings, files: frozenset[str]) -> Entry:
    file, identifier = ConfigParser.split_path_id(item.value[1:])
    refusal = surroundings.reference_refusal(identifier)
    if file and file not in files:
        refusal = path_refusal(file) or f"there is no config {file} in this bundle"
    return _entry(item, "macro", item.value, refusal, "copied from a config of this bundle")


def _entry(item: Item, kind: str, what: str, refusal: str, why: str) -> Entry:
    shown = what if len(what) <= _SHOWN else f"{what[: _SHOWN - 3]}..."
    return Entry(item.file, item.identifier.replace("::", "#"), kind, shown, bool(refusal), refusal or why)
