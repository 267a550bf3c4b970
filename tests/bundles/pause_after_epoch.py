"""A handler for the test of a training that is killed."""

import signal

from ignite.engine import Engine, Events


class PauseAfterEpoch:
    """Says that the first epoch is over and its checkpoint saved, and waits to be killed."""

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED(once=1), self)

    def __call__(self, engine: Engine) -> None:
        print("paused", flush=True)
        signal.pause()
