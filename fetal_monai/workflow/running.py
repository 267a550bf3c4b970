"""The config of the bundle that is running."""

from __future__ import annotations

import inspect

from monai.bundle import ConfigParser


def running_parser() -> ConfigParser | None:
    """Return the parser of the bundle run that calls this function; None outside a bundle run.

    MONAI does not pass the merged config to its components, so it is taken from the `ConfigParser` that is
    instantiating the caller. Nothing else works both for the command line and for `ConfigWorkflow`.
    """
    frame = inspect.currentframe()
    while frame is not None:
        parser = frame.f_locals.get("self")
        if isinstance(parser, ConfigParser):
            return parser
        frame = frame.f_back
    return None
