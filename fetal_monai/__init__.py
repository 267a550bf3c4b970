"""Components for fetal ultrasound that MONAI Bundles name in their configs."""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = (
    "biometry",
    "data",
    "engines",
    "geometry",
    "handlers",
    "inferers",
    "localisation",
    "losses",
    "measurement",
    "metrics",
    "networks",
    "phantom",
    "runtimes",
    "tracking",
    "transforms",
    "weights",
    "workflow",
)


def __getattr__(name: str) -> ModuleType | type:
    # A config can import only the top level ("$import fetal_monai"); what it does not use is not loaded.
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name == "HeadMeasurer":
        measurer: type = import_module(f"{__name__}.measurement").HeadMeasurer
        return measurer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
