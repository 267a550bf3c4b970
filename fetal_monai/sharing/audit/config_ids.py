"""Where values stand in configs, by MONAI's ids, and what a merge of configs can do to them.

The user merges a bundle's configs as he likes (`--config_file "['train.json','multi_gpu_train.json']"`): a key
`a#b` replaces what an earlier config has there, `+a` extends it, and a list that was extended has other indices. So
nothing here rests on an index: all elements of a list share one id, with `*` in its place.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monai.bundle import ConfigParser, ReferenceResolver

_MERGE = "+"
ANY_INDEX = "*"


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a config.

    Attributes:
        file: Name of the config within the bundle.
        parts: MONAI's id, split: keys and indices.
        value: A text as MONAI reads it where it stands (`#` as `::`, relative ids made absolute), or another value.
        raw: The value as it is written.
        overlaid: Whether a key of the file (`a#b`) sets it within what another config has.
        extends: Whether a key of the file (`+a`) adds it to what another config has.
    """

    file: str
    parts: tuple[str, ...]
    value: Any
    raw: Any
    overlaid: bool = False
    extends: bool = False

    @property
    def key(self) -> str:
        """The last part of the id."""
        return self.parts[-1] if self.parts else ""

    @property
    def place(self) -> str:
        """The id as a report shows it."""
        return "#".join(self.parts)

    @property
    def root(self) -> str:
        """The first part of the id: the key at the top of the config that it lies under."""
        return self.parts[0] if self.parts else ""


class AmbiguousIdError(ValueError):
    """A key that MONAI could take for the id of something else."""


def config_items(file: str, content: Any) -> Iterator[Item]:
    """List every value of a config with its id.

    Args:
        file: name of the config within the bundle.
        content: parsed.

    Raises:
        AmbiguousIdError: if it is no mapping, or a key in it could be taken for an id of something else: MONAI finds
            values by the joined id, so `{"a::b": 1}` and `{"a": {"b": 2}}` would be the same.
    """
    if not isinstance(content, Mapping):
        raise AmbiguousIdError(f"a config is a mapping, this is a {type(content).__name__}")
    for key, value in content.items():
        extends, parts = _split_key(key)
        yield from _items(file, parts, value, overlaid=len(parts) > 1, extends=extends)


def split_id(identifier: str) -> tuple[str, ...]:
    """The parts of an id as MONAI finds them: it ignores blanks around each."""
    return tuple(part.strip() for part in ReferenceResolver.split_id(identifier))


def without_indices(parts: tuple[str, ...]) -> tuple[str, ...]:
    """An id with `*` for every part that MONAI takes for an index of a list (`00` and `-1` are indices, too)."""
    return tuple(ANY_INDEX if _is_index(part) else part for part in parts)


def is_relative(text: str) -> bool:
    """Whether a text holds a relative id (`@#x`): what it refers to depends on where MONAI copies it to."""
    return ConfigParser.relative_id_prefix.search(ReferenceResolver.normalize_id(text)) is not None


def _split_key(key: Any) -> tuple[bool, tuple[str, ...]]:
    if not isinstance(key, str):
        raise AmbiguousIdError(f"the key {key!r} is no text")
    extends = key.startswith(_MERGE)
    parts = tuple(ReferenceResolver.split_id(key[extends:]))
    for part in parts:
        _check(part, key)
    if parts[0].startswith(_MERGE):
        raise AmbiguousIdError(f"the key {key!r} extends twice")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI says that it renames a key
        (root,) = ReferenceResolver().normalize_meta_id({parts[0]: None})
    return extends, (root, *parts[1:])


def _items(
    file: str, parts: tuple[str, ...], raw: Any, *, overlaid: bool = False, extends: bool = False
) -> Iterator[Item]:
    value = raw
    if isinstance(raw, str):
        value = ConfigParser.resolve_relative_ids(ReferenceResolver.sep.join(parts), raw)
    yield Item(file, parts, value, raw, overlaid, extends)
    if isinstance(raw, dict):
        for key, child in raw.items():
            _check(key, key)
            yield from _items(file, (*parts, key), child)
    elif isinstance(raw, list):
        for index, child in enumerate(raw):
            yield from _items(file, (*parts, str(index)), child)


def _check(part: Any, key: Any) -> None:
    if not isinstance(part, str):
        raise AmbiguousIdError(f"the key {part!r} is no text")
    if not part or part != part.strip() or ReferenceResolver.sep in ReferenceResolver.normalize_id(part):
        raise AmbiguousIdError(f"MONAI could take the key {key!r} for the id of something else")


def _is_index(part: str) -> bool:
    try:
        int(part)
    except ValueError:
        return False
    return True
