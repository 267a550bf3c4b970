"""List and judge what a bundle's configs would run, import, read and write.

The configs of a bundle are judged together, since the user may merge them in any way:

- a `_target_` is a literal string, never computed or a reference, and names an allowed class or function;
- arguments that decide what a component does are judged by `components.judge_components`, from whichever config;
- an expression is judged by `expressions.mentions`; an imported name has the same meaning in all configs;
- nothing refers to an import, however the id is spelt;
- `_mode_` keeps its default, and flags such as `weights_only` are literal values;
- a macro (`%`) refers to configs of this bundle;
- metadata contains nothing that MONAI evaluates.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from monai.bundle import ConfigParser

from fetal_monai.sharing.audit.allow_list import DEFAULT_BINDINGS, FLAGS
from fetal_monai.sharing.audit.audit_entry import AuditEntry, item_entry
from fetal_monai.sharing.audit.components import TARGET, judge_components
from fetal_monai.sharing.audit.config_ids import AmbiguousIdError, Item, config_items
from fetal_monai.sharing.audit.expression_source import bound_names, import_statement
from fetal_monai.sharing.audit.expressions import Surroundings, dotted_name, judge_dotted, mentions
from fetal_monai.sharing.audit.known_texts import KnownTexts
from fetal_monai.sharing.audit.names import look_up, look_up_target
from fetal_monai.sharing.audit.paths import PathKind, judge_path
from fetal_monai.sharing.audit.references import References
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse
from fetal_monai.sharing.audit.written_paths import judge_written_file

METADATA = "configs/metadata.json"
CONFIGS_FOLDER = "configs/"
_DOWNLOADED = (".pt", ".pth", ".safetensors", ".onnx")
_IMPORTED_WHOLE = frozenset({"os.path", "os.environ"})


def audit_configs(configs: Mapping[str, Any]) -> list[AuditEntry]:
    """Judge all configs of a bundle.

    Args:
        configs: Parsed content by file name.
    """
    entries: list[AuditEntry] = []
    items: list[Item] = []
    for file, content in configs.items():
        try:
            items += config_items(file, content)
        except (AmbiguousIdError, ValueError, RecursionError) as error:
            entries.append(AuditEntry(file, "", "config", file, True, f"it cannot be judged: {error}"))
    surroundings = surroundings_of(items)
    for item in items:
        entries += _audit_item(item, surroundings, frozenset(configs))
    return entries + list(judge_components(items, surroundings.texts))


def surroundings_of(items: list[Item]) -> Surroundings:
    """Return what the expressions of a bundle can refer to.

    Args:
        items: Items of all its configs.
    """
    bindings = dict(DEFAULT_BINDINGS)
    tops: dict[str, list[Any]] = defaultdict(list)
    importing: set[str] = set()
    for item in items:
        if statement := import_statement(item.value):
            importing.add(item.root)
            for bound, whole in bound_names(statement):
                bindings.setdefault(bound, whole)
        if len(item.parts) == 1:
            tops[item.root].append(item.raw)
    names = partial(dotted_name, bindings=bindings)
    return Surroundings(bindings, References(frozenset(importing)), KnownTexts(tops, names))


def _audit_item(item: Item, surroundings: Surroundings, files: frozenset[str]) -> Iterator[AuditEntry]:
    value = item.value
    if isinstance(item.raw, str) and item.raw[:1] in ("$", "@", "%"):
        verdict = surroundings.references.judge_relative(item)
        if not verdict.allowed:
            yield item_entry(item, "reference", item.raw, verdict)
    if item.key == TARGET:
        yield item_entry(item, "target", str(value), _judge_target(item))
    elif item.key == "_mode_":
        known = isinstance(value, str) and value.lower() == "default"
        why = "a component that is called later receives unknown arguments; other modes start a debugger"
        yield item_entry(item, "mode", str(value), allow() if known else refuse(why))
    elif item.key in FLAGS:
        verdict = (
            allow(item.key) if value is FLAGS[item.key] else refuse(f"anything but {FLAGS[item.key]} may run code")
        )
        yield item_entry(item, "argument", str(value), verdict)
    elif _lists_downloads(item.file) and item.key == "path" and isinstance(value, str):
        yield item_entry(item, "path", value, judge_written_file(value, _DOWNLOADED))
    elif isinstance(value, dict):
        yield from _audit_download(item)
    elif item.file.endswith(METADATA) and isinstance(value, str) and value[:1] in ("$", "%", "@"):
        yield item_entry(
            item, "metadata", item.raw, refuse("MONAI would evaluate it, and metadata must be plain values")
        )
    elif statement := import_statement(value):
        yield from _audit_import(item, statement, surroundings.bindings)
    elif isinstance(value, str) and value.startswith("$"):
        yield from _audit_expression(item, surroundings)
    elif isinstance(value, str):
        yield from _audit_text(item, surroundings, files)


def _judge_target(item: Item) -> Verdict:
    if len(item.parts) == 1:
        return refuse("the whole config would be one component")
    if not isinstance(item.value, str) or item.value[:1] in ("$", "@", "%"):
        return refuse("its value cannot be known before it runs: write the name itself")
    name = look_up_target(item.value)
    return allow(f"is {name.home}") if name.verdict.allowed else name.verdict


def _audit_import(
    item: Item, statement: ast.Import | ast.ImportFrom, bindings: Mapping[str, str]
) -> Iterator[AuditEntry]:
    for bound, whole in bound_names(statement):
        name = look_up(whole)
        verdict = allow(f"as {bound}") if whole in _IMPORTED_WHOLE or name.verdict.allowed else name.verdict
        if whole.endswith(".*") or (isinstance(statement, ast.ImportFrom) and statement.level):
            verdict = refuse("what it imports cannot be known")
        elif bindings[bound] != whole:
            verdict = refuse(f"{bound} stands for {bindings[bound]} in another place")
        yield item_entry(item, "import", ast.unparse(statement), verdict)


def _audit_download(item: Item) -> Iterator[AuditEntry]:
    if not _lists_downloads(item.file) or not isinstance(item.value.get("url"), str):
        return
    checked = item.value.get("hash_val") and item.value.get("hash_type") == "sha256"
    why = "the download is not checked: give hash_val, and hash_type sha256"
    yield item_entry(
        item, "download", item.value["url"], allow(f"sha256 {item.value['hash_val']}") if checked else refuse(why)
    )


def _lists_downloads(file: str) -> bool:
    """Return whether MONAI reads this file for `download_large_files`."""
    return file.startswith("large_files")


def _audit_expression(item: Item, surroundings: Surroundings) -> Iterator[AuditEntry]:
    found = mentions(item.value, surroundings)
    named = sorted({mention.what for mention in found if mention.kind == "name" and not mention.what.startswith(".")})
    refusals = dict.fromkeys(
        f"{mention.what}: {mention.verdict.why}" for mention in found if not mention.verdict.allowed
    )
    yield item_entry(
        item, "expression", item.value, refuse("; ".join(refusals)) if refusals else allow(", ".join(named))
    )
    for mention in found:
        if mention.kind == "path" and mention.verdict.allowed:
            yield item_entry(item, "path", mention.what, mention.verdict)


def _audit_text(item: Item, surroundings: Surroundings, files: frozenset[str]) -> Iterator[AuditEntry]:
    text: str = item.value
    if text.startswith("%"):
        yield item_entry(item, "macro", text, _judge_macro(item, surroundings.references, files))
    elif text.startswith("@"):
        verdict = surroundings.references.judge(text[1:])
        if not verdict.allowed:
            yield item_entry(item, "reference", text, verdict)
    elif (named := judge_dotted(text)) is not None:
        yield item_entry(
            item, "name", text, named if not named.allowed else allow("a name that a component may look up")
        )
    elif (item.key == "url" and _lists_downloads(item.file)) or item.file.endswith(METADATA):
        return  # a download is judged with its checksum, and URLs in metadata are for readers
    elif (path := judge_path(text)).kind is not PathKind.NO_PATH:
        yield item_entry(item, "path", text, refuse(path.why) if path.refused else allow(path.why))


def _judge_macro(item: Item, references: References, files: frozenset[str]) -> Verdict:
    file, identifier = ConfigParser.split_path_id(item.value[1:])
    if item.root in references.imports:
        return refuse("it copies something to where imported modules are")
    if file and (path := judge_path(file)).refused:
        return refuse(path.why)
    if file and (file not in files or not file.startswith(CONFIGS_FOLDER)):
        return refuse(f"there is no config {file} in this bundle; configs are in {CONFIGS_FOLDER}")
    verdict = references.judge(identifier)
    return allow("copied from a config of this bundle") if verdict.allowed else verdict
