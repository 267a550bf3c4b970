"""The values of configs with their MONAI ids, independent of how configs are merged.

The user may merge a bundle's configs in any way (`--config_file "['train.json','multi_gpu_train.json']"`): a key
`a#b` replaces what an earlier config has there, and `+a` extends it, which shifts the indices of a list. Therefore
nothing here relies on an index: all elements of a list share one id, with `*` in place of the index.
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
        parts: Parts of MONAI's id: keys and indices.
        value: A string as MONAI reads it in its place (`#` as `::`, relative ids made absolute), or another value.
        raw: The value as it is written.
        overlaid: Whether a key of the file (`a#b`) sets it inside a value of another config.
        extends: Whether a key of the file (`+a`) adds it to a value of another config.
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
        """The id as the report shows it."""
        return "#".join(self.parts)

    @property
    def root(self) -> str:
        """The first part of the id: the top-level key of the config."""
        return self.parts[0] if self.parts else ""


class AmbiguousIdError(ValueError):
    """A key that MONAI could take for the id of something else."""


def config_items(file: str, content: Any) -> Iterator[Item]:
    """Iterate over all values of a config with their ids.

    Args:
        file: Name of the config within the bundle.
        content: Parsed content.

    Raises:
        AmbiguousIdError: If it is not a mapping, or a key could be taken for the id of something else. MONAI finds
            values by the joined id, so `{"a::b": 1}` and `{"a": {"b": 2}}` would be the same.
    """
    if not isinstance(content, Mapping):
        raise AmbiguousIdError(f"a config must be a mapping, not a {type(content).__name__}")
    for key, value in content.items():
        extends, parts = _split_key(key)
        yield from _items(file, parts, value, overlaid=len(parts) > 1, extends=extends)


def split_id(identifier: str) -> tuple[str, ...]:
    """Split an id as MONAI does, without the blanks around each part, which it ignores."""
    return tuple(part.strip() for part in ReferenceResolver.split_id(identifier))


def without_indices(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Replace every part of an id that MONAI takes for a list index (also `00` and `-1`) by `*`."""
    return tuple(ANY_INDEX if _is_index(part) else part for part in parts)


def is_relative(text: str) -> bool:
    """Return whether a string contains a relative id (`@#x`), whose meaning depends on where MONAI copies it to."""
    return ConfigParser.relative_id_prefix.search(ReferenceResolver.normalize_id(text)) is not None


def _split_key(key: Any) -> tuple[bool, tuple[str, ...]]:
    if not isinstance(key, str):
        raise AmbiguousIdError(f"the key {key!r} is not a string")
    extends = key.startswith(_MERGE)
    parts = tuple(ReferenceResolver.split_id(key[extends:]))
    for part in parts:
        _check(part, key)
    if parts[0].startswith(_MERGE):
        raise AmbiguousIdError(f"the key {key!r} extends twice")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI warns that it renames a key
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
        raise AmbiguousIdError(f"the key {part!r} is not a string")
    if not part or part != part.strip() or ReferenceResolver.sep in ReferenceResolver.normalize_id(part):
        raise AmbiguousIdError(f"MONAI could take the key {key!r} for the id of something else")


def _is_index(part: str) -> bool:
    try:
        int(part)
    except ValueError:
        return False
    return True
