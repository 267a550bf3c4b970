"""Pack a bundle into a zip in the layout of the model zoo, with the part of this package that it uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import fetal_monai
from fetal_monai.files import atomic_path
from fetal_monai.files.checksum import file_sha256
from fetal_monai.sharing.audit.bundle_audit import MAX_TEXT_BYTES, audit_files
from fetal_monai.sharing.audit.bundle_files import Bundle, open_bundle
from fetal_monai.sharing.audit.configs import METADATA
from fetal_monai.sharing.config_file import CONFIG_SUFFIXES, parse_config
from fetal_monai.sharing.pack import large_files
from fetal_monai.sharing.pack.config_names import named_in_configs
from fetal_monai.sharing.pack.pack_result import PackError, PackResult
from fetal_monai.sharing.pack.requirements import UnknownDistributionError, pin_place, pins, required_distributions
from fetal_monai.sharing.pack.used_modules import PACKAGE, MissingNameError, UsedModules, find_used_modules
from fetal_monai.sharing.pack.zip_file import write_zip
from fetal_monai.workflow.demonstration import OVERLAY

_FOLDERS = ("configs", "docs", "models")
_LEFT_OUT = (f"configs/{OVERLAY}", "models/model_int8.xml", "models/model_int8.bin")
"""Not packed: what names the simulator, a third of the code, and the int8 model, which no config reads."""


def pack_bundle(folder: Path, output_dir: Path) -> PackResult:
    """Write `<name>_v<version>.zip` and its checksum.

    Args:
        folder: Folder of the bundle.
        output_dir: Folder of the zip.

    Raises:
        UnreadableBundleError: If the folder does not exist.
        PackError: If it is not a bundle, the audit refuses it, its version is not in the changelog, a file is too
            large, a name does not exist, or a package that it imports is not pinned.
    """
    if folder.is_file():
        raise PackError(f"{folder} is a file. Give the folder that contains the bundle's configs/.")
    with open_bundle(folder) as whole:
        bundle = Bundle(
            tuple(file for file in whole.files if _is_packed(file.name)),
            tuple(entry for entry in whole.entries if _is_packed(entry.file)),
        )
    _refuse_unsafe(folder, bundle)
    configs = _configs(bundle)
    name, version = _identity(folder, configs[METADATA])
    listed = {file.name: file for file in large_files.listed(configs)}
    large_files.check(folder, bundle, listed)
    code, unneeded_pins = _code(folder, configs)
    sources: dict[str, Path | bytes] = {
        file.name: folder / file.name for file in bundle.files if file.name not in listed
    }
    sources |= code.files
    path = output_dir / f"{name}_v{version}.zip"
    write_zip(path, {f"{name}/{inner}": source for inner, source in sources.items()})
    sha256 = file_sha256(path)
    with atomic_path(path.with_name(f"{path.name}.sha256")) as temporary:
        temporary.write_text(f"{sha256}  {path.name}\n", newline="\n")
    return PackResult(
        path,
        sha256,
        {
            inner: source.stat().st_size if isinstance(source, Path) else len(source)
            for inner, source in sources.items()
        },
        tuple(listed.values()),
        tuple(file.name for file in whole.files if file.name not in sources),
        unneeded_pins,
    )


def _is_packed(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if any(part.startswith(".") or part == "__pycache__" or re.fullmatch(r"run_\d+", part) for part in parts):
        return False  # numbered folders hold earlier weights
    return (parts[0] in _FOLDERS and name not in _LEFT_OUT) or name == "LICENSE" or large_files.is_list(name)


def _refuse_unsafe(folder: Path, bundle: Bundle) -> None:
    if not any(file.name == METADATA for file in bundle.files):
        raise PackError(
            f"{folder} is not a bundle: it has no {METADATA}. Give a bundle's folder, such as bundles/bisenet."
        )
    refused = [entry for entry in audit_files(bundle) if entry.refused]
    if refused:
        first = refused[0]
        place = f"{first.file}, {first.place}" if first.place else first.file
        raise PackError(
            f"{folder}: the audit refuses {len(refused)} entries, the first in {place}: {first.what}: "
            f"{first.why}. `python -m fetal_monai.sharing.audit {folder}` lists all of them."
        )


def _configs(bundle: Bundle) -> dict[str, Any]:
    suffixes = {file: PurePosixPath(file.name).suffix.lower() for file in bundle.files}
    return {
        file.name: parse_config(file.read(MAX_TEXT_BYTES), suffix)
        for file, suffix in suffixes.items()
        if suffix in CONFIG_SUFFIXES
    }


def _identity(folder: Path, metadata: Any) -> tuple[str, str]:
    """Return the name and version that the metadata states."""
    stated = metadata if isinstance(metadata, dict) else {}
    for key, allowed in (("bundle", r"[A-Za-z]\w*"), ("version", r"\d+(\.\d+)*\w*")):
        value = stated.get(key)
        if not isinstance(value, str) or not re.fullmatch(allowed, value, re.ASCII):
            raise PackError(
                f"{folder / METADATA}: {key} is {value!r}, but the zip is named after it: expected {allowed}."
            )
    name, version = stated["bundle"], stated["version"]
    changelog = stated.get("changelog")
    if not isinstance(changelog, dict) or not changelog.get(version):
        raise PackError(f"{folder / METADATA}: the changelog has no entry {version!r}. Add one that says what is new.")
    return name, version


def _code(folder: Path, configs: Mapping[str, Any]) -> tuple[UsedModules, tuple[str, ...]]:
    """Return the part of this package that the configs use, and the pins that are not known to be needed."""
    names = named_in_configs(configs)
    try:
        code = find_used_modules(
            (name for name in names if name.split(".")[0] == PACKAGE), Path(fetal_monai.__file__).parent
        )
        needed = required_distributions(names, code.imports)
    except (MissingNameError, UnknownDistributionError) as error:
        raise PackError(f"{folder}: {error}") from error
    pinned = pins(configs[METADATA])
    if missing := [
        f"{pin_place(package)} (for {needed_by})" for package, needed_by in needed.items() if package not in pinned
    ]:
        raise PackError(
            f"{folder / METADATA} pins no version for {', '.join(missing)}. Add the versions that you tested with."
        )
    return code, tuple(sorted(pinned.keys() - needed.keys()))
