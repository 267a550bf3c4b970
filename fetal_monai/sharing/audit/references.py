"""Judge what references (`@id`) and macros (`%id`) point to: anything but modules.

The value of an import statement is the module. MONAI accepts many spellings of its id (`@imports::0`, `%imports::-1`,
an index that a merge has shifted), so nothing may refer to a top-level item that contains an import.
"""

from __future__ import annotations

from dataclasses import dataclass

from monai.bundle import ConfigParser, ReferenceResolver

from fetal_monai.sharing.audit.config_ids import Item, split_id
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

_MODULES = "it refers to imported modules, or to values beside them"
_RELATIVE = ConfigParser.relative_id_prefix


@dataclass(frozen=True, slots=True)
class References:
    """Judges references and macros.

    Attributes:
        imports: Top-level items, in any of the bundle's configs, that contain an import statement.
    """

    imports: frozenset[str]

    def judge(self, identifier: str) -> Verdict:
        """Judge the id that a reference or macro points to.

        Args:
            identifier: The absolute id.
        """
        parts = split_id(identifier)
        if not all(parts):
            return refuse("it refers to the whole config, or to an id that MONAI could take for another")
        if parts[0] == ConfigParser.meta_key:
            return refuse(f"it refers to the metadata, which may be any config: {ConfigParser.meta_key}")
        return refuse(_MODULES) if parts[0] in self.imports else allow()

    def judge_relative(self, item: Item) -> Verdict:
        """Judge the relative ids in a value, which macros may copy to a place where they mean something else."""
        text = ReferenceResolver.normalize_id(item.raw)
        starts = {split_id(text[match.end() :])[0] for match in _RELATIVE.finditer(text)}
        named = {start for start in self.imports for found in starts if found.startswith(start)}
        return refuse(_MODULES) if starts and (named or item.root in self.imports) else allow()
