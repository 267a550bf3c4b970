"""Doing something when a run fails, without hiding the failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ignite.engine import Engine, Events


def on_failure(engine: Engine, callback: Callable[[Engine, BaseException], None]) -> None:
    """Call `callback(engine, exception)` when the engine's run fails; the exception is raised afterwards.

    Ignite swallows the exception if no handler raises it, and skips the handlers behind one that does. So one handler
    raises it, and it is kept behind all that are registered here.
    """
    if engine.has_event_handler(_raise, Events.EXCEPTION_RAISED):
        engine.remove_event_handler(_raise, Events.EXCEPTION_RAISED)
    engine.add_event_handler(Events.EXCEPTION_RAISED, callback)
    engine.add_event_handler(Events.EXCEPTION_RAISED, _raise)


def _raise(engine: Engine, exception: BaseException) -> NoReturn:
    raise exception
