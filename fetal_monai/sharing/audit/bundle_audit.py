"""Judge every file of a bundle according to its type."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import fetal_monai
from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.bundle_files import Bundle, BundleFile, open_bundle
from fetal_monai.sharing.audit.configs import audit_configs
from fetal_monai.sharing.audit.logging_conf import audit_logging_conf
from fetal_monai.sharing.audit.openvino_model import audit_graph, audit_numbers
from fetal_monai.sharing.audit.weights_file import audit_weights, is_pickle_or_zip
from fetal_monai.sharing.config_file import CONFIG_SUFFIXES, parse_config
from fetal_monai.sharing.subpackage_init import is_reduced, read_init

MAX_TEXT_BYTES = 8 * 2**20
"""Largest size of a config or source file."""

_LOGGING_SUFFIXES = frozenset({".conf", ".ini", ".cfg"})
_WEIGHTS_SUFFIXES = frozenset({".pt", ".pth", ".ts", ".pkl", ".pickle", ".ckpt", ".bin"})
_TEXTS = ".md .txt .rst .csv .tsv .sha256 .bib .cff"
_PICTURES = ".png .jpg .jpeg .gif .bmp .tif .tiff .dcm .mha .nii .gz .pdf"
_DATA_SUFFIXES = frozenset(f"{_TEXTS} {_PICTURES}".split())
_DATA_NAMES = frozenset({"LICENSE", "NOTICE", "AUTHORS", "CITATION", ".gitignore", ".gitattributes"})
_METADATA_SUFFIXES = frozenset({".dist-info", ".egg-info", ".egg"})
"""Suffixes of folders in which Python finds entry points of packages. torch, for example, calls those of its group."""

_CANNOT_READ = (OSError, ValueError, RuntimeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def audit_bundle(path: str | Path) -> list[AuditEntry]:
    """List and judge everything in a bundle that could run code, or read or write a file.

    Nothing in the bundle is evaluated, imported, unpickled or unpacked.

    Args:
        path: The bundle's folder or zip.

    Raises:
        UnreadableBundleError: If it is neither.
    """
    with open_bundle(path) as bundle:
        return audit_files(bundle)


def audit_files(bundle: Bundle) -> list[AuditEntry]:
    """List and judge the files of an open bundle."""
    entries = list(bundle.entries)
    configs: dict[str, Any] = {}
    names = frozenset(file.name for file in bundle.files)
    for file in bundle.files:
        try:
            if _suffix(file) in CONFIG_SUFFIXES:
                configs[file.name] = parse_config(file.read(MAX_TEXT_BYTES), _suffix(file))
            else:
                entries += _audit_file(file, names)
        except _CANNOT_READ as error:
            entries.append(AuditEntry(file.name, "", "file", file.name, True, f"it cannot be judged: {error}"))
    if not configs and not entries:
        entries.append(
            AuditEntry("", "", "file", "configs", True, "it contains no config: expected the folder or zip of a bundle")
        )
    return entries + audit_configs(configs)


def _suffix(file: BundleFile) -> str:
    return PurePosixPath(file.name).suffix.lower()


def _audit_file(file: BundleFile, names: frozenset[str]) -> Iterable[AuditEntry]:
    if found := _installed(file):
        return [AuditEntry(file.name, "", "code", file.name, False, found)]
    path = PurePosixPath(file.name)
    if any(PurePosixPath(folder).suffix.lower() in _METADATA_SUFFIXES for folder in path.parts):
        return [
            AuditEntry(file.name, "", "code", file.name, True, "metadata of a package: Python calls its entry points")
        ]
    suffix = _suffix(file)
    with file.open() as stream:
        start = stream.read(9)
    if suffix == ".safetensors":
        # The length of the header, then a JSON object.
        numbers = start[8:] == b"{"
        why = "numbers only" if numbers else "it does not begin like a safetensors file"
        return [AuditEntry(file.name, "", "weights", "safetensors", not numbers, why)]
    if suffix == ".bin" and str(path.with_suffix(".xml")) in names:
        with file.open() as stream:
            return [audit_numbers(file.name, stream)]
    if suffix in _WEIGHTS_SUFFIXES or is_pickle_or_zip(start):
        with file.seekable() as stream:
            return audit_weights(file.name, stream)
    if suffix in _LOGGING_SUFFIXES:
        return audit_logging_conf(file.name, file.read(MAX_TEXT_BYTES))
    if suffix == ".py":
        # A bundle's folder may be on Python's path.
        return [AuditEntry(file.name, "", "code", file.name, True, "code that runs when it is imported: read it")]
    if suffix == ".onnx":
        return [AuditEntry(file.name, "", "weights", "ONNX", False, "a graph of operators, without Python code")]
    if suffix == ".xml":
        return [audit_graph(file.name, file.read(MAX_TEXT_BYTES))]
    if suffix in _DATA_SUFFIXES or path.name in _DATA_NAMES:
        return []
    return [AuditEntry(file.name, "", "file", suffix or file.name, True, "a file type that this audit does not know")]


def _installed(file: BundleFile) -> str:
    """Return how the file matches one of the installed package; empty if it does not.

    A packed bundle contains parts of the package: modules as they are, and reduced `__init__.py` files.
    """
    package, _, inner = file.name.partition("/")
    installed = Path(fetal_monai.__file__).parent / inner
    if package != "fetal_monai" or not installed.is_file():
        return ""
    content, own = file.read(MAX_TEXT_BYTES), installed.read_bytes()
    if content == own:
        return "identical to the file of the installed fetal_monai"
    module = ".".join(Path(file.name).parent.parts)
    is_subset = installed.name == "__init__.py" and is_reduced(content, read_init(installed, module))
    return "the file of the installed fetal_monai, reduced to some of its names" if is_subset else ""
