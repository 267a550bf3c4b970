"""Detection of misspelt overrides: MONAI adds `--lerning_rate 0.1` to the config as a new entry and continues."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from monai.bundle import ConfigParser, ReferenceResolver

from fetal_monai.workflow.configs import config_files, stage_config
from fetal_monai.workflow.metadata import load_metadata
from fetal_monai.workflow.running import running_parser

# A key of the config, or a section and a key in it: ("train", "dataset") for `train#dataset`.
_Entry: TypeAlias = tuple[str, ...]

_MONAIS_OWN = {("initialize",), ("finalize",), (ConfigParser.meta_key,)}


class UnknownOverrideError(ValueError):
    """An override or an overlay names an entry that the config does not have."""


def check_overrides(bundle_root: str | Path, config: str) -> None:
    """Refuse entries of the running config that are in none of the bundle's files and that nothing refers to.

    A config calls it first, so that a misspelt override costs no work. Checked are the config's keys and those of its
    plain sections (`train#dataset`); deeper entries are arguments, which the components check.

    Args:
        bundle_root: The bundle's folder.
        config: Name of the config that runs, without suffix: "train", "evaluate" or "inference".

    Raises:
        UnknownOverrideError: There are such entries; the message names them, and the configs that have them or the most
            similar known entries.
        FileNotFoundError: The folder is not a bundle.
    """
    load_metadata(bundle_root)
    parser, found = running_parser(), stage_config(bundle_root, config)
    if parser is None or found is None:
        return
    merged, (file, content) = parser.config, found
    own = set(_entries(content))
    configs = dict(_configs(bundle_root))
    # An overlay, which runs nothing by itself, may have entries of another config. Of a config that is merged into the
    # running one, all entries are in it.
    others = [other for other in configs.values() if "run" not in other or other.keys() <= merged.keys()]
    known = own.union(_MONAIS_OWN, *map(_entries, others))
    references = _references(merged)
    unknown = [entry for entry in _entries(merged) if entry not in known and not _is_referred_to(entry, references)]
    # If a section itself is unknown, its entries are not listed.
    named = [_with_hint(entry, own, configs) for entry in unknown if len(entry) == 1 or entry[:1] not in unknown]
    if named:
        raise UnknownOverrideError(
            f"{file} does not have {'; '.join(named)}. The bundle's docs/README.md lists its overrides; an entry of "
            "your own must be referred to with @."
        )


def _configs(bundle_root: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configs and overlays of a bundle by their file names."""
    for path in config_files(bundle_root):
        try:
            config = ConfigParser.load_config_file(path)
        except Exception:  # a broken file; this run does not use it, else MONAI would have reported it
            continue
        yield path.name, config


def _entries(config: Mapping[str, Any]) -> Iterator[_Entry]:
    for key, value in config.items():
        path = tuple(ReferenceResolver.split_id(key))  # an overlay's key may be `train#dataloader#sampler`
        yield path[:1]
        if len(path) > 1:
            yield path[:2]
        elif isinstance(value, Mapping) and "_target_" not in value and key != ConfigParser.meta_key:
            yield from ((key, str(child)) for child in value)


def _references(config: Mapping[str, Any]) -> set[_Entry]:
    text = ReferenceResolver.normalize_id(repr(config))
    return {tuple(ReferenceResolver.split_id(match[1:])) for match in ReferenceResolver.id_matcher.findall(text)}


def _is_referred_to(entry: _Entry, references: set[_Entry]) -> bool:
    """Whether a reference names the entry, something in it, or something that contains it."""
    return any(entry[: len(other)] == other[: len(entry)] for other in references)


def _with_hint(entry: _Entry, own: set[_Entry], configs: Mapping[str, Mapping[str, Any]]) -> str:
    """The entry with the configs that have it, else with the most similar entries of this one."""
    if holders := [name for name, content in configs.items() if entry in _entries(content)]:
        return f"{_as_typed(entry)} (an entry of {' and '.join(holders)})"
    siblings = sorted(other[-1] for other in own if other[:-1] == entry[:-1])
    nearest = [_as_typed((*entry[:-1], name)) for name in difflib.get_close_matches(entry[-1], siblings)]
    return _as_typed(entry) + (f" (did you mean {' or '.join(nearest)}?)" if nearest else "")


def _as_typed(entry: _Entry) -> str:
    return "--" + "#".join(entry)
