"""Choose the engine for a network."""

from __future__ import annotations

import logging
from importlib import import_module

from fetal_monai.runtimes.bundle import SegmentationBundle
from fetal_monai.runtimes.runtime import ENGINES, PRECISIONS, Runtime

logger = logging.getLogger(__name__)


def select_runtime(
    bundle: SegmentationBundle, engine: str = "auto", precision: str = "auto", device: str = "cpu"
) -> Runtime:
    """Load a network into an engine.

    Args:
        bundle: The network.
        engine: One of `ENGINES`, or "auto": the first that is installed and has the precision; PyTorch on a GPU.
        precision: One of `PRECISIONS`, or "auto" for the fastest that the engine has on this machine.
        device: "cpu"; "cuda" or "cuda:1" for PyTorch.

    Raises:
        ImportError: The engine is not installed.
        ValueError: An argument is none of these, or they do not go together.
    """
    for name, value, known in (("engine", engine, ENGINES), ("precision", precision, PRECISIONS)):
        if value not in ("auto", *known):
            raise ValueError(f"{name} must be 'auto' or one of {', '.join(known)}, got {value!r}.")
    if device != "cpu":
        if engine not in ("auto", "torch"):
            raise ValueError(f"{engine} runs on the CPU here, got device={device!r}; use engine='torch' on a GPU.")
        return _load("torch", bundle, precision=precision, device=device)
    if engine != "auto":
        return _load(engine, bundle, precision=precision)
    *candidates, last = (each for each, offered in ENGINES.items() if precision in ("auto", *offered))
    for candidate in candidates:
        try:
            return _load(candidate, bundle, precision=precision)
        except ImportError as error:
            logger.info("%s is passed over: %s", candidate, error)
    return _load(last, bundle, precision=precision)


def _load(engine: str, bundle: SegmentationBundle, **options: str) -> Runtime:
    try:
        module = import_module(f"fetal_monai.runtimes.{engine}")
    except ModuleNotFoundError as error:
        if error.name != engine:
            raise
        raise ImportError(f"{engine} is not installed: pip install fetal-monai[fast]") from error
    runtime: Runtime = module.load(bundle, **options)
    return runtime
