"""Read a JSON or YAML config as MONAI does, or refuse what two readers would read differently."""

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
        content: of the whole file.
        suffix: one of CONFIG_SUFFIXES.

    Raises:
        ValueError: if it is no such file, a key is there twice (one value would hide the other), or YAML goes beyond
            plain values: a tag can make Python objects, and an alias of an alias can fill the memory.
    """
    text = content.decode("utf-8")
    try:
        if suffix == ".json":
            return json.loads(text, object_pairs_hook=_without_duplicates)
        return _parse_yaml(text)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except yaml.YAMLError as error:
        raise ValueError(f"it is no plain YAML: {error}") from error


def _parse_yaml(text: str) -> Any:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        tag = getattr(event, "tag", None)
        if tag and tag not in _YAML_TAGS:
            raise ValueError(f"the tag {tag} makes an object of its own kind")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"the alias *{event.anchor} stands for something else: write @id or %id instead")
    return yaml.load(text, _Loader)


def _without_duplicates(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    content: dict[Any, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"the key {key!r} is there twice")
        content[key] = value
    return content


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # Compared as texts: MONAI's ids are texts, so 1 and "1" are the same key.
        _without_duplicates([(str(key.value), None) for key, _ in node.value])
        return super().construct_mapping(node, deep)
