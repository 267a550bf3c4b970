"""Detect a discriminator that has won."""

from __future__ import annotations

import logging

from ignite.engine import Engine, Events
from monai.utils import AdversarialKeys

logger = logging.getLogger(__name__)


class DiscriminatorWatch:
    """Warns when the discriminator separates every prediction from every label, so that it teaches nothing more.

    Attach it to a trainer with a metric `discriminator_loss`, the mean of an epoch.

    Args:
        collapse_below: Loss below which a warning is logged. Usual values are 0.2 to 0.7; ln 2 = 0.69 is guessing.
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
                "The discriminator's loss fell to %.4f in epoch %d (usual: 0.2 to 0.7). It separates every prediction "
                "from every label, so the segmentation network learns nothing more from it. Lower "
                "--discriminator_learning_rate, or raise --adversarial_weight.",
                loss,
                engine.state.epoch,
            )
