"""Judge the arguments of components, whichever of the bundle's configs they and the `_target_` come from.

The user may merge any number of configs in any order. Instead of trying all merges, every combination that a merge
could produce is judged: the entries of one mapping in a config stay together, and what another config sets in it by
an id (`a#b`) or adds to it (`+a`) is combined with everything that any config has in that place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from fetal_monai.sharing.audit.arguments import ARGUMENTS
from fetal_monai.sharing.audit.audit_entry import AuditEntry, item_entry
from fetal_monai.sharing.audit.config_ids import Item, without_indices
from fetal_monai.sharing.audit.known_texts import KnownTexts
from fetal_monai.sharing.audit.names import look_up_target
from fetal_monai.sharing.audit.verdict import refuse

TARGET = "_target_"
_Id: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Fragment:
    """Entries that are certain to be in one mapping.

    Attributes:
        whole: Whether they are a complete mapping of a config.
        entries: Entries by key.
        deeper: Values that an id sets inside an entry, by the entry's key.
    """

    whole: bool
    entries: dict[str, Item] = field(default_factory=dict)
    deeper: dict[str, Item] = field(default_factory=dict)

    @property
    def target(self) -> str | None:
        item = self.entries.get(TARGET)
        return item.value if item and isinstance(item.value, str) else None


def judge_components(items: Iterable[Item], texts: KnownTexts) -> Iterator[AuditEntry]:
    """List the arguments that decide what a component imports, unpickles, writes or sends.

    Args:
        items: Items of all the bundle's configs.
        texts: Finds the strings that a value can be.
    """
    for fragments in _by_place(items).values():
        for fragment in fragments:
            if fragment.target is None:
                continue
            name = look_up_target(fragment.target)
            for other in fragments:
                if other is fragment or not (fragment.whole and other.whole):
                    yield from _judge(name.home, other, texts)


def _judge(home: str, fragment: _Fragment, texts: KnownTexts) -> Iterator[AuditEntry]:
    rules = ARGUMENTS.get(home, {})
    for key in rules.keys() & fragment.entries.keys():
        item = fragment.entries[key]
        yield item_entry(item, "argument", f"{key}: {item.raw}", rules[key](item.raw, texts))
    for key in rules.keys() & fragment.deeper.keys():
        item = fragment.deeper[key]
        why = f"it changes a part of {key}: give the whole argument"
        yield item_entry(item, "argument", f"{key}: {item.raw}", refuse(why))


def _by_place(items: Iterable[Item]) -> dict[_Id, list[_Fragment]]:
    found: dict[_Id, list[_Fragment]] = defaultdict(list)
    open_mappings: dict[tuple[str, _Id], _Fragment] = {}
    for item in items:
        place, parent = without_indices(item.parts), item.parts[:-1]
        if isinstance(item.value, dict):
            # What `+a` adds is only a part of `a`.
            fragment = _Fragment(whole=not item.extends)
            open_mappings[item.file, item.parts] = fragment
            found[place].append(fragment)
        if not item.overlaid:
            if (mapping := open_mappings.get((item.file, parent))) is not None:
                mapping.entries[item.key] = item
            continue
        for depth in range(1, len(item.parts)):
            fragment = _Fragment(whole=False)
            (fragment.entries if depth == len(item.parts) - 1 else fragment.deeper)[item.parts[depth]] = item
            found[place[:depth]].append(fragment)
    return found
