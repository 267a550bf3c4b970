"""`--help` of every command is quick: it imports none of the large packages."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

COMMANDS = [
    "fetal_monai",
    *("benchmarks.head_measurement", "benchmarks.region_localisation"),
    *("data_prep.ellipse_label", "data_prep.fetal_planes", "data_prep.hc18", "data_prep.phantom"),
    *("fetal_monai.comparison", "fetal_monai.reproduction", "fetal_monai.sharing.audit", "fetal_monai.sharing.pack"),
]
LARGE = {
    *("torch", "monai", "ignite", "mlflow", "itk", "pandas", "matplotlib"),
    *("highdicom", "dicomweb_client", "fastapi", "ray", "pyarrow", "fsspec"),
}

SHOW_HELP = """
import runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    print("imported:", *sys.modules)
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_no_large_package(command: str) -> None:
    shown = subprocess.run([sys.executable, "-c", SHOW_HELP, command], capture_output=True, text=True, check=True)
    text, _, imported = shown.stdout.rpartition("imported:")
    assert f"usage: {'fetal-monai' if command == 'fetal_monai' else f'python -m {command}'}" in text
    assert not LARGE & set(imported.split())


@pytest.mark.parametrize("subpackage", ["biometry", "data", "files", "geometry"])
def test_measuring_and_reading_need_no_large_package(subpackage: str) -> None:
    use = f"import sys, fetal_monai.{subpackage} as used; [getattr(used, name) for name in {{}}]; print(*sys.modules)"
    names = {"biometry": ["measure_head"], "data": ["read_frame"], "files": ["atomic_path"], "geometry": ["Sector"]}
    command = [sys.executable, "-c", use.format(names[subpackage])]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"fetal_monai.{subpackage}" in imported.split()
    assert not LARGE & set(imported.split())


@pytest.mark.parametrize("subpackage", ["data", "data.io.cine", "dicomweb", "geometry", "phantom", "weights"])
def test_no_lazy_name_is_that_of_a_module(subpackage: str) -> None:
    """Importing the module would replace the name in the subpackage."""
    package = import_module(f"fetal_monai.{subpackage}")
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)
