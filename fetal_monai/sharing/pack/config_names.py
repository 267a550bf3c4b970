"""Find the names that a bundle's configs call, import or look up, without evaluating anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fetal_monai.sharing.audit.components import TARGET
from fetal_monai.sharing.audit.config_ids import Item, config_items
from fetal_monai.sharing.audit.configs import surroundings_of
from fetal_monai.sharing.audit.expression_source import bound_names, import_statement
from fetal_monai.sharing.audit.expressions import Surroundings, judge_dotted, mentions


def named_in_configs(configs: Mapping[str, Any]) -> frozenset[str]:
    """Return the names in configs: dotted ones, and ones without dots that MONAI looks up among its components.

    Args:
        configs: Parsed content by file name, of configs that pass the audit.
    """
    items = [item for file, content in configs.items() for item in config_items(file, content)]
    surroundings = surroundings_of(items)
    return frozenset(name for item in items for name in _names(item, surroundings))


def _names(item: Item, surroundings: Surroundings) -> Iterator[str]:
    if not isinstance(item.value, str):
        return
    if statement := import_statement(item.value):
        yield from (whole for _, whole in bound_names(statement))
    elif item.value.startswith("$"):
        found = mentions(item.value, surroundings)
        yield from (mention.what for mention in found if mention.kind == "name" and not mention.what.startswith("."))
    elif item.key == TARGET or judge_dotted(item.value) is not None:
        yield item.value
