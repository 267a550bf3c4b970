"""`fetal-monai info`: versions, processor, engines, devices and bundles, for bug reports."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fetal_monai import __version__
from fetal_monai.bundle_folder import bundle_folder, bundle_names
from fetal_monai.files.checksum import file_sha256

_DESCRIPTION = """\
Show the versions of the packages, the processor, the engines and devices that can be used,
and the bundles with their weights. Paste it into a bug report: it contains no data of
yours."""

_EPILOG = """\
examples:
  fetal-monai info
  fetal-monai info --json > info.json"""

_PACKAGES = (
    "monai",
    "torch",
    "pytorch-ignite",
    "numpy",
    "scipy",
    "scikit-image",
    "itk",
    "nibabel",
    "pydicom",
    "mlflow",
)
_ENGINES = ("openvino", "nncf", "onnxruntime", "onnx")
_CPU_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd")
"""Flags of Linux that decide which engine is quick: vector width, int8 and bfloat16 arithmetic."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "info",
        help="show versions, processor, engines, devices and bundles",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=print_info)


def print_info(options: argparse.Namespace) -> int:
    """Print the description of this installation."""
    described = describe()
    if options.json:
        print(json.dumps(described, indent=2))
    else:
        print("\n".join(_lines(described)))
    return 0


def describe() -> dict[str, Any]:
    """Return the description of this installation, of plain values only."""
    return {
        "fetal_monai": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "engines": {name: _version(name) for name in _ENGINES},
        "devices": _devices(),
        "bundles": {name: _bundle(bundle_folder(name)) for name in bundle_names()},
    }


def _lines(described: Mapping[str, Any], indent: str = "") -> list[str]:
    width = max(map(len, described)) + 2
    lines = []
    for name, value in described.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *_lines(value, f"{indent}  ")]
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"{indent}{name:<{width}}{'-' if shown is None else shown}")
    return lines


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> dict[str, Any]:
    cpu: dict[str, Any] = {"model": platform.processor() or platform.machine(), "cores": os.cpu_count(), "flags": []}
    described = Path("/proc/cpuinfo")
    if described.is_file():
        fields = dict(line.split(":", 1) for line in described.read_text().splitlines() if ":" in line)
        fields = {name.strip(): value.strip() for name, value in fields.items()}
        flags = fields.get("flags", fields.get("Features", "")).split()
        cpu |= {
            "model": fields.get("model name", cpu["model"]),
            "flags": [flag for flag in _CPU_FLAGS if flag in flags],
        }
    return cpu


def _devices() -> list[str]:
    import torch  # slow to import; no other part needs it

    return ["cpu", *(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))]


def _bundle(folder: Path) -> dict[str, Any]:
    metadata = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    weights = folder / "models" / "model.pt"
    sha256 = file_sha256(weights) if weights.is_file() else None
    return {"version": metadata["version"], "folder": str(folder), "weights_sha256": sha256}
