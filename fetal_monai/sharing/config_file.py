"""Read a JSON or YAML config as MONAI does, refusing content that two readers could understand differently."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

CONFIG_SUFFIXES = (".json", ".yaml", ".yml")

_YAML_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map"))


def parse_config(content: bytes, suffix: str) -> Any:
    """Parse a config.

    Args:
        content: Content of the whole file.
        suffix: One of CONFIG_SUFFIXES.

    Raises:
        ValueError: If the content is invalid, a key appears twice (one value would hide the other), or YAML contains
            a tag, which can create Python objects, or an alias, since nested aliases can exhaust the memory.
    """
    text = content.decode("utf-8")
    try:
        if suffix == ".json":
            return json.loads(text, object_pairs_hook=_without_duplicates)
        return _parse_yaml(text)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except yaml.YAMLError as error:
        raise ValueError(f"it is not plain YAML: {error}") from error


def _parse_yaml(text: str) -> Any:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        tag = getattr(event, "tag", None)
        if tag and tag not in _YAML_TAGS:
            raise ValueError(f"the tag {tag} creates an object of another type")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"the alias *{event.anchor} stands for something else: write @id or %id instead")
    return yaml.load(text, _Loader)


def _without_duplicates(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    content: dict[Any, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"the key {key!r} appears twice")
        content[key] = value
    return content


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # Compared as strings: MONAI's ids are strings, so 1 and "1" are the same key.
        _without_duplicates([(str(key.value), None) for key, _ in node.value])
        return super().construct_mapping(node, deep)
