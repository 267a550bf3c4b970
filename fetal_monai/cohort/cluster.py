"""The Ray cluster that measures: a local one for the time of a command, or one that exists."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from fetal_monai.cohort.stages import EngineChoice
from fetal_monai.runtimes import find_bundle, select_runtime

_LEAST_CORES = 2  # one for an engine, one for reading and measuring

_LOG_LEVELS = {"RAY_DATA_LOG_LEVEL": "CRITICAL", "RAY_BACKEND_LOG_LEVEL": "fatal"}


@contextmanager
def connected(address: str | None, cores: int | None, object_store_mib: int | None) -> Iterator[None]:
    """Connect to a Ray cluster for the block.

    Args:
        address: Of a cluster; None starts one on this machine and ends it with the block.
        cores: Of the local cluster; None for all of this machine.
        object_store_mib: Its memory for what waits between stages; None for Ray's default.

    Raises:
        ConnectionError: There is no cluster at the address.
    """
    for name, level in _LOG_LEVELS.items():  # a worker that ends is a matter of course here
        os.environ.setdefault(name, level)
    if address is None:
        ray.init(
            address="local",
            num_cpus=max(cores or os.cpu_count() or 1, _LEAST_CORES),
            object_store_memory=None if object_store_mib is None else object_store_mib << 20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    else:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            raise ConnectionError(
                f"{error}. Check the address; most clusters ask for their token: set RAY_AUTH_MODE=token, and copy "
                "~/.ray/auth_token from the head to this machine."
            ) from error
    try:
        yield
    finally:
        ray.shutdown()


def engine_resources(device: str) -> dict[str, float]:
    """Return what Ray reserves for an engine on a device."""
    return {"num_cpus": 1} if device == "cpu" else {"num_gpus": 1}


def engine_count(wanted: int | None, resources: dict[str, float]) -> int:
    """Return how many engines the connected cluster is to run: those that are wanted, else what is left room for.

    Raises:
        ValueError: The cluster has no room for them.
    """
    there = ray.cluster_resources()
    if "num_gpus" in resources:
        most = standard = int(there.get("GPU", 0))
        has = f"{most} GPUs"
    else:
        cores = int(there.get("CPU", 0))
        most, standard, has = cores - 1, cores // _LEAST_CORES, f"{cores} cores, and one of them must read files"
    count = standard if wanted is None else wanted
    if not 1 <= count <= most:
        raise ValueError(f"There is no room for {max(count, 1)} engines: the cluster has {has}.")
    return count


def selected_engine(choice: EngineChoice, resources: dict[str, float]) -> EngineChoice:
    """Return the engine and the precision that "auto" selects on a worker, so that all workers have the same.

    Raises:
        ImportError: As `select_runtime`, like the next two.
        OSError: See there.
        ValueError: See there.
    """
    try:
        engine, precision = ray.get(ray.remote(_selected).options(**resources).remote(choice))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    return EngineChoice(choice.bundle, engine, precision, choice.device)


def _selected(choice: EngineChoice) -> tuple[str, str]:
    runtime = select_runtime(find_bundle(choice.bundle), choice.engine, choice.precision, choice.device)
    return runtime.engine, runtime.precision
