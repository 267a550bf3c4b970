"""The config of the bundle that is running."""

from __future__ import annotations

import inspect
from typing import Any

from monai.bundle import ConfigParser


def running_config() -> dict[str, Any] | None:
    """Return the merged config, overlays and overrides included, of the bundle run that calls; None outside one.

    MONAI hands the merged config to none of its components, so it is taken from the `ConfigParser` that is
    instantiating the caller: the one way that holds for the command line and for `ConfigWorkflow` alike.
    """
    frame = inspect.currentframe()
    while frame is not None:
        parser = frame.f_locals.get("self")
        if isinstance(parser, ConfigParser):
            return parser.config
        frame = frame.f_back
    return None
