"""End a training within a time limit."""

from __future__ import annotations

import time

import ignite.distributed as idist
from ignite.engine import Engine, Events


class TimeLimit:
    """Ends a training after the last epoch that fits into a time limit; at least one epoch is run.

    Unlike Ignite's handler of this name it never ends an epoch half-way, so that the last one is validated and saved,
    and starts none that would end too late: an epoch is expected to take the average time of this run's epochs. With
    several processes the slowest one decides. The training can be resumed with a new limit.

    Attach it last, so that an epoch's validation and checkpoint count.

    Args:
        seconds: From the start of this run's first epoch; None for no limit.

    Raises:
        ValueError: The limit is no positive number.
    """

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not seconds > 0:
            raise ValueError(f"The time limit is {seconds} s; expected a positive number of seconds.")
        self.seconds = seconds
        self.start = 0.0
        self.epochs = 0

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer."""
        if self.seconds is not None:
            engine.add_event_handler(Events.EPOCH_STARTED, self.note_epoch)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.check, self.seconds)

    def note_epoch(self, engine: Engine) -> None:
        """Count the epochs of this run, and start the clock with the first."""
        if self.epochs == 0:
            self.start = time.monotonic()
        self.epochs += 1

    def check(self, engine: Engine, seconds: float) -> None:
        """End the training if another epoch would end too late."""
        elapsed = time.monotonic() - self.start
        if idist.all_reduce(elapsed + elapsed / self.epochs, "MAX") > seconds:
            if engine.state.epoch < engine.state.max_epochs:
                engine.logger.info(
                    f"ended after epoch {engine.state.epoch} of {engine.state.max_epochs}: another one would not fit "
                    f"into the time limit of {seconds:.0f} s"
                )
            engine.terminate()
