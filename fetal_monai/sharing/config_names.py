"""The names that a bundle's configs call, import or look up, without evaluating anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fetal_monai.sharing.allowed import DEFAULT_BINDINGS
from fetal_monai.sharing.configs import Item, bound_names, config_items, import_of
from fetal_monai.sharing.expressions import Surroundings, dotted_refusal, mentions, with_references


def named_in_configs(configs: Mapping[str, Any]) -> frozenset[str]:
    """List what configs name: dotted names, and bare ones that MONAI looks up among its components.

    Args:
        configs: parsed content by file name; configs that the audit passes.
    """
    items = [item for file, content in configs.items() for item in config_items(file, "", content)]
    bindings = dict(DEFAULT_BINDINGS)
    for item in items:
        if statement := import_of(item):
            bindings.update(bound_names(statement))
    surroundings = Surroundings(bindings, frozenset())
    return frozenset(name for item in items for name in _names(item, surroundings))


def _names(item: Item, surroundings: Surroundings) -> Iterator[str]:
    if not isinstance(item.value, str):
        return
    if statement := import_of(item):
        yield from (whole for _, whole in bound_names(statement))
    elif item.value.startswith("$"):
        found = mentions(with_references(item.value), surroundings)
        yield from (mention.what for mention in found if mention.kind == "name")
    elif item.key == "_target_" or dotted_refusal(item.value) is not None:
        yield item.value
