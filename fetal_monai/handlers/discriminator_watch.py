"""Noticing when the adversarial game is over."""

from __future__ import annotations

import logging

from ignite.engine import Engine, Events
from monai.utils import AdversarialKeys

logger = logging.getLogger(__name__)


class DiscriminatorWatch:
    """Warns when the discriminator has won: it tells every prediction from a label, and teaches nothing more.

    Attach it to a trainer with a metric `discriminator_loss`, the mean of an epoch.

    Args:
        collapse_below: the loss under which there is a warning. Healthy is 0.2 to 0.7; ln 2 = 0.69 is guessing.
    """

    def __init__(self, collapse_below: float = 0.05) -> None:
        self.collapse_below = collapse_below

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Warn, on the first rank, if the loss is near zero."""
        loss = engine.state.metrics[AdversarialKeys.DISCRIMINATOR_LOSS]
        if loss < self.collapse_below and engine.state.rank == 0:
            logger.warning(
                "The discriminator's loss fell to %.4f in epoch %d (healthy is 0.2 to 0.7): it tells every prediction "
                "from a label, and the segmentation network learns nothing more from it. Lower "
                "--discriminator_learning_rate, or raise --adversarial_weight.",
                loss,
                engine.state.epoch,
            )
