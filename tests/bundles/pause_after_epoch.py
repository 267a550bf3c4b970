"""A handler for the test of a training that is killed."""

import signal

from ignite.engine import Engine, Events


class PauseAfterEpoch:
    """Report that the first epoch is complete and its checkpoint saved, and wait to be killed."""

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED(once=1), self)

    def __call__(self, engine: Engine) -> None:
        print("paused", flush=True)
        signal.pause()
