"""Compare what the audit derives from configs with what MONAI makes of them."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from monai.bundle import ConfigParser
from monai.bundle.utils import merge_kv

from fetal_monai.sharing.audit.config_ids import config_items
from fetal_monai.sharing.audit.configs import audit_configs, surroundings_of
from fetal_monai.sharing.audit.known_texts import UnknownTextError

_IDS = ["x", "x#a", "x#a#_target_", "x#a#output_dir", "x#0", "x#-1", "x#00#output_dir", "x#1", "x#1#_target_", "#x#a"]
_PLACES = st.sampled_from([*_IDS, *(f"+{name}" for name in _IDS)])
_LEAVES = st.sampled_from(["SaveImage", "UNet", "configs", "output"])
_ENTRIES = st.dictionaries(st.sampled_from(["_target_", "output_dir", "a"]), _LEAVES, max_size=2)
_VALUES = st.one_of(_LEAVES, _ENTRIES, st.lists(_ENTRIES, max_size=2), st.fixed_dictionaries({"a": _ENTRIES}))
_CONFIGS = st.lists(st.dictionaries(_PLACES, _VALUES, min_size=1, max_size=3), min_size=1, max_size=3)


def merged(configs: tuple[dict[str, Any], ...]) -> Any:
    """The result of MONAI reading the configs one after the other."""
    parser = ConfigParser(config={})
    for config in configs:
        for key, value in deepcopy(config).items():
            merge_kv(parser, key, value)
    return parser.get()


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(child)


@settings(max_examples=400, deadline=None)
@given(_CONFIGS)
@example([{"x": [{"_target_": "UNet"}]}, {"+x": [{"_target_": "SaveImage"}]}, {"x#1#output_dir": "configs"}])
@example([{"x": {"_target_": "SaveImage"}}, {"+x": {"output_dir": "configs"}}])
@example([{"x": {"a": {"output_dir": "configs"}}}, {"x#a#_target_": "SaveImage"}])
def test_what_any_order_of_merging_makes_is_judged(configs: list[dict[str, Any]]) -> None:
    """A component that would write configs is refused, whichever configs its parts come from."""
    refused = any(entry.refused for entry in audit_configs({f"{i}.json": config for i, config in enumerate(configs)}))
    for count in range(1, len(configs) + 1):
        for order in itertools.permutations(configs, count):
            with warnings.catch_warnings(), contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
                warnings.simplefilter("ignore")
                writes = [m for m in mappings(merged(order)) if m.get("_target_") == "SaveImage"]
                assert refused or all(m.get("output_dir") != "configs" for m in writes), order


_TEXTS = st.sampled_from(["'a'", "'/b'", "'c/'", "''", "@t", "@u", "@t + '/d'", "@e"])
_EXPRESSIONS = st.recursive(
    _TEXTS,
    lambda parts: st.one_of(
        st.tuples(parts, parts).map(lambda two: f"({two[0]} + {two[1]})"),
        st.tuples(parts, parts).map(lambda two: f"({two[0]} if @yes else {two[1]})"),
        st.tuples(parts, parts).map(lambda two: f"({two[0]} if not @yes else {two[1]})"),
        st.tuples(parts, parts).map(lambda two: f"os.path.join({two[0]}, {two[1]})"),
        parts.map(lambda part: f'f"x{{{part}}}y"' if '"' not in part and "\\" not in part else part),
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(_EXPRESSIONS)
def test_a_text_is_among_those_that_are_known(expression: str) -> None:
    config = {"imports": ["$import os"], "t": "t", "u": "@t", "e": "$@u + 'e'", "yes": True, "x": f"${expression}"}
    known = surroundings_of(list(config_items("train.json", config))).texts.of_value(config["x"])
    assert ConfigParser(deepcopy(config)).get_parsed_content("x") in known


@given(st.sampled_from(["$os.getcwd()", "$@x", "%t", "@#t", "$@l[0]", "@l", "@l#0", "$str(@t)", 3, ["a"], "$'a' * 3"]))
def test_what_else_it_is_is_unknown(value: Any) -> None:
    config = {"imports": ["$import os"], "t": "t", "l": ["a"], "x": value}
    texts = surroundings_of(list(config_items("train.json", config))).texts
    with contextlib.suppress(UnknownTextError):
        raise AssertionError(texts.of_value(value))
