"""What references (`@id`) and macros (`%id`) may point to: anything but modules.

An import statement is a value, too: the module. MONAI finds it by many spellings (`@imports::0`, `%imports::-1`, an
index that a merge has shifted), so the whole item at the top of a config that an import lies in is out of bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from monai.bundle import ConfigParser, ReferenceResolver

from fetal_monai.sharing.audit.config_ids import Item, split_id
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

_MODULES = "it refers to imported modules, or what lies beside them"
_RELATIVE = ConfigParser.relative_id_prefix


@dataclass(frozen=True, slots=True)
class References:
    """What may be referred to.

    Attributes:
        imports: Items at the top of a config, of any of the bundle, in which an import statement lies.
    """

    imports: frozenset[str]

    def judge(self, identifier: str) -> Verdict:
        """Judge the id that a reference or macro points to.

        Args:
            identifier: whole, not relative.
        """
        parts = split_id(identifier)
        if not all(parts):
            return refuse("it refers to the whole config, or to an id that MONAI could take for another")
        if parts[0] == ConfigParser.meta_key:
            return refuse(f"it refers to the metadata, which may be any config: {ConfigParser.meta_key}")
        return refuse(_MODULES) if parts[0] in self.imports else allow()

    def judge_relative(self, item: Item) -> Verdict:
        """Judge the relative ids in a value: macros may copy them to where they mean something else."""
        text = ReferenceResolver.normalize_id(item.raw)
        starts = {split_id(text[match.end() :])[0] for match in _RELATIVE.finditer(text)}
        named = {start for start in self.imports for found in starts if found.startswith(start)}
        return refuse(_MODULES) if starts and (named or item.root in self.imports) else allow()
