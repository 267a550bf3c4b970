"""Check the list of reviewed names against the sources of the installed packages.

A new release of MONAI may make a class load, write or import something. The calls of each name are followed through
the functions and classes in its source; a call that could do harm must be one that has been reviewed.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from types import FunctionType

import pytest

from fetal_monai.sharing.audit.allow_list import CALCULATING, OWN_NAMES, reviewed
from fetal_monai.sharing.audit.arguments import ARGUMENTS
from fetal_monai.sharing.audit.names import look_up

_WORDS = """
Popen fromfile from_pretrained getoutput hf_hub_download import_module imread
instantiate load load_library load_module load_state_dict_from_url load_url loads locate makedirs memmap mkdir move
open popen read_csv read_excel rename rmtree run_cmd save savefig savez set_dir symlink_to system tofile to_csv
touch unlink urlopen urlretrieve write write_bytes write_text writelines atomic_path check_output
"""
SINKS = frozenset(_WORDS.split())
BUILTIN_SINKS = frozenset({"__import__", "compile", "eval", "exec", *SINKS})  # as methods, these do something else
# Helpers that everything uses: what they import is fixed in MONAI.
HARMLESS = frozenset({"MetaTensor", "optional_import", "require_pkg", "version_leq", "set_determinism"})

_WEIGHTS_ONLY = "loads with weights_only=True, from a path or from an address of its own"
READ = {
    "monai.data.dataset.NPZDictItemDataset": "numpy.load without pickles",
    "monai.data.decathlon_datalist.load_decathlon_datalist": "reads JSON",
    "monai.data.decathlon_datalist.load_decathlon_properties": "reads JSON",
    "monai.data.image_reader.ITKReader": "reads images",
    "monai.data.image_reader.NibabelReader": "reads images; writes into the memory",
    "monai.data.image_reader.PILReader": "reads images",
    "monai.data.image_reader.PydicomReader": "reads images; writes into the memory",
    "monai.handlers.checkpoint_loader.CheckpointLoader": _WEIGHTS_ONLY,
    "monai.networks.blocks.text_embedding.TextEncoder": _WEIGHTS_ONLY,
    **{f"monai.networks.nets.densenet.DenseNet{depth}": _WEIGHTS_ONLY for depth in (121, 169, 201)},
    "monai.networks.nets.efficientnet.EfficientNetBN": _WEIGHTS_ONLY,
    "monai.networks.nets.efficientnet.EfficientNetBNFeatures": _WEIGHTS_ONLY,
    "monai.networks.nets.efficientnet.EfficientNetEncoder": _WEIGHTS_ONLY,
    **{f"monai.networks.nets.resnet.resnet{depth}": _WEIGHTS_ONLY for depth in (10, 18, 34, 50, 101, 152, 200)},
    "monai.networks.nets.resnet.ResNetEncoder": _WEIGHTS_ONLY,
    "monai.networks.nets.resnet.ResNetFeatures": _WEIGHTS_ONLY,
    **{f"monai.networks.nets.senet.SEResNe{kind}": _WEIGHTS_ONLY for kind in ("t50", "t101", "t152", "xt50", "xt101")},
    "monai.networks.nets.senet.SENet154": _WEIGHTS_ONLY,
    "fetal_monai.data.CineItems": "reads cine loops",
    "fetal_monai.data.FrameReader": "reads frames",
    "fetal_monai.data.FrameStream": "reads cine loops",
    "fetal_monai.data.intensity_statistics": "reads JSON and frames",
    "fetal_monai.data.collect_frames": "reads frames and tables",
    "fetal_monai.transforms.FrameGeometryd": "reads tables",
    "fetal_monai.weights.load_pretrained": _WEIGHTS_ONLY,
    "fetal_monai.weights.load_weights": _WEIGHTS_ONLY,
    "fetal_monai.workflow.check_overrides": "reads the bundle's configs",
    "fetal_monai.workflow.state_failed_files": "reads a table",
    "fetal_monai.workflow.use_trained_settings": "reads the bundle's configs and a text beside the weights",
}

NAMES = sorted(name for name in reviewed() if name.split(".")[0] == "monai")


def own_names() -> Iterator[str]:
    """This package's own names, as its subpackages export them."""
    for package in CALCULATING:
        yield from (f"{package}.{name}" for name in importlib.import_module(package).__all__)
    yield from (name for name in OWN_NAMES if importlib.util.find_spec(name.rpartition(".")[0]))


@cache
def calls(module: str, name: str) -> frozenset[str]:
    """The sinks that a class or function calls, directly or through what it names."""
    return frozenset(_calls(module, name, set()))


def _calls(module: str, name: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    if (module, name) in seen or name in HARMLESS or (seen and f"{module}.{name}" in READ):
        return
    seen.add((module, name))
    sinks, mentioned = body(module, name)
    yield from sinks
    for definition in mentioned:
        yield from _calls(*definition, seen)


@cache
def body(module: str, name: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The sinks that a class or function calls itself, and the definitions (module, name) that it names."""
    sinks, definitions_named = set(), set()
    for node in ast.walk(definitions(module).get(name, ast.Module([], []))):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id in BUILTIN_SINKS:
                sinks.add(function.id)
            elif isinstance(function, ast.Attribute) and function.attr in SINKS and not _is_json(function):
                sinks.add(function.attr)
        mentioned = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
        found = getattr(sys.modules[module], mentioned, None) if isinstance(mentioned, str) else None
        if isinstance(found, type | FunctionType) and found.__module__.split(".")[0] in ("monai", "fetal_monai"):
            definitions_named.add((found.__module__, found.__name__))
    return sinks, definitions_named


def _is_json(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id == "json"


@cache
def definitions(module: str) -> dict[str, ast.AST]:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_the_names_are_there() -> None:
    """Names of other releases of MONAI may be missing; none has moved to a module that was not reviewed."""
    known = [name for name in NAMES if look_up(name).is_callable]
    assert len(known) > 0.9 * len(NAMES)
    assert {look_up(name).home for name in known} <= reviewed()


@pytest.mark.parametrize("package", sorted({name.rpartition(".")[0] for name in NAMES}))
def test_what_they_call_was_read(package: str) -> None:
    names = [name for name in NAMES if name.rpartition(".")[0] == package and look_up(name).is_callable]
    found = {name: calls(package, name.rpartition(".")[2]) for name in names}
    assert {name for name, sinks in found.items() if sinks} <= READ.keys() | ARGUMENTS.keys(), found


def test_what_our_own_call_was_read() -> None:
    found = {
        name: getattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2], None)
        for name in own_names()
    }
    sinks = {name: calls(o.__module__, o.__name__) for name, o in found.items() if isinstance(o, type | FunctionType)}
    assert {name for name, called in sinks.items() if called} <= READ.keys() | ARGUMENTS.keys(), sinks


def test_arguments_with_rules_exist() -> None:
    """A rule for a renamed argument would have no effect."""
    for home, rules in ARGUMENTS.items():
        module, _, name = home.rpartition(".")
        if importlib.util.find_spec(module) is None:
            continue
        found = getattr(importlib.import_module(module), name, None)
        if found is None:  # exported by no subpackage
            assert home in OWN_NAMES
            continue
        makers = (
            [base.__dict__.get("__init__") for base in inspect.getmro(found)] if isinstance(found, type) else [found]
        )
        functions = [maker for maker in makers if isinstance(maker, FunctionType)]
        known = {name for function in functions for name in inspect.signature(function).parameters}
        assert rules.keys() <= known, home


def test_the_calculating_subpackages_are_whole() -> None:
    for package in CALCULATING:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            assert not module.ispkg, f"{package}.{module.name} is a nested package: has it been reviewed?"
