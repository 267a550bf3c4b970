"""The steps of an object through a node, each in a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from fetal_monai.node.object_table import Entry, State
from fetal_monai.node.spool import Spool

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_PAUSE_S = 2.0


@dataclass(frozen=True)
class Outcome:
    """What a step has made of an object.

    Attributes:
        state: Its next state; the same as before if the step is to be tried again.
        reason: Why, if not all is well.
    """

    state: State
    reason: str = ""


class StepThread(Thread):
    """Takes one object after another through a step, until it is told to stop; then it finishes the one in hand.

    Args:
        spool: The queue.
        state: The step is for objects in this state.
        step: Does it.
    """

    def __init__(self, spool: Spool, state: State, step: Callable[[Entry], Outcome]) -> None:
        super().__init__(name=f"step-from-{state.value}", daemon=True)
        self._spool = spool
        self._state = state
        self._step = step
        self._stopped = Event()

    def stop(self) -> None:
        """Take no more objects."""
        self._stopped.set()

    def run(self) -> None:
        """Work until `stop`."""
        while not self._stopped.is_set():
            try:
                entry = self._spool.table.claim(self._state)
                if entry is None:
                    self._stopped.wait(_POLL_S)
                else:
                    self._advance(entry, self._step(entry))
            except (OSError, sqlite3.Error) as error:  # the disk is full, or fails
                logger.error("the queue cannot be written to (%s); trying again.", error)
                self._stopped.wait(_PAUSE_S)

    def _advance(self, entry: Entry, outcome: Outcome) -> None:
        if outcome.state == entry.state:
            self._spool.table.note(entry.number, outcome.reason)
            logger.warning("object %d: to be tried again after try %d: %s", entry.number, entry.tries, outcome.reason)
            return
        self._spool.move(entry, outcome.state, outcome.reason)
        if outcome.state is State.FAILED:  # the words of a library may quote the header
            logger.error("object %d: failed; the health page has the reason", entry.number)
        else:
            logger.info("object %d: %s", entry.number, ": ".join(filter(None, [outcome.state.value, outcome.reason])))
