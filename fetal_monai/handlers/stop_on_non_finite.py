"""Stop a training with non-finite values before it overwrites good files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ignite.engine import Engine, Events
from torch import nn


class StopOnNonFinite:
    """Ends the run when a loss, or after an epoch a weight, is NaN or infinite.

    Unlike Ignite's `TerminateOnNan` it raises an error instead of ending normally, and checks the weights too: the
    last step of an epoch may make them non-finite after a finite loss. Attach it first, so that neither
    validation nor checkpoints see such weights: the files of the last good epoch stay as they are.

    Args:
        networks: The networks that are trained.

    Raises:
        FloatingPointError: A value is not finite; the message names the loss or the network and how to fix it.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.networks = networks

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer whose output is a dictionary with one or more scalar losses."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.check_losses)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.check_weights)

    def check_losses(self, engine: Engine) -> None:
        """Check the scalars of the iteration's output."""
        for name, value in engine.state.output.items():
            if isinstance(value, torch.Tensor) and value.ndim == 0 and not value.isfinite():
                _stop(f"{name} is {float(value)}", engine)

    def check_weights(self, engine: Engine) -> None:
        """Check the weights and statistics of the networks."""
        for network in self.networks:
            if not all(value.isfinite().all() for value in network.state_dict().values()):
                _stop(f"{type(network).__name__} has weights that are not finite", engine)


def _stop(what: str, engine: Engine) -> None:
    raise FloatingPointError(
        f"{what} in iteration {engine.state.iteration} (epoch {engine.state.epoch}). The checkpoint of the "
        "previous epoch is kept: resume from it (--resume True) with a lower learning rate."
    )
