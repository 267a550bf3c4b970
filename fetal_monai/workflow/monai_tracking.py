"""MONAI's own tracking (`--tracking mlflow`) in a config that has a tracker already."""

from __future__ import annotations

import logging
from typing import Any

from fetal_monai.workflow.running import running_parser

logger = logging.getLogger(__name__)

_HANDLER_LISTS = ("train#handlers", "handlers")
_LOSS = "$lambda output: output['loss'].item()"


def leave_tracking_to_monai() -> None:
    """Switch `RunTracker` off where `--tracking` added MONAI's handler to the running config; a log line says so.

    The run would be logged twice otherwise. MONAI's settings read the loss from decollated output, but our trainings
    do not decollate (it takes time, and they need no single items), so its handler is told where the loss is.
    """
    parser = running_parser()
    if parser is None:
        return
    for handlers in map(parser.get, _HANDLER_LISTS):
        trackers = [handler for handler in handlers or () if _is(handler, "MLFlowHandler")]
        for tracker in trackers:
            if "output_transform" in tracker:
                tracker["output_transform"] = _LOSS
        for own in handlers if trackers else ():
            if _is(own, "RunTracker"):
                own["_disabled_"] = True
                logger.info("--tracking: MONAI's handler tracks this run; the bundle's own tracker does not.")
                # The expression that calls this function is being resolved: its resolver needs the changed items.
                parser.parse(reset=True)


def _is(handler: Any, name: str) -> bool:
    return isinstance(handler, dict) and str(handler.get("_target_")).rpartition(".")[2] == name
