import logging

import pytest
import torch
from ignite.engine import Engine
from ignite.metrics import Average

from fetal_monai.handlers import DiscriminatorWatch


def _run(losses: list[float], rank: int = 0) -> None:
    engine = Engine(lambda _, loss: {"discriminator_loss": torch.tensor(loss)})
    engine.state.rank = rank
    Average(lambda output: output["discriminator_loss"]).attach(engine, "discriminator_loss")
    DiscriminatorWatch(collapse_below=0.05).attach(engine)
    engine.run(losses)


def test_a_discriminator_that_has_won_is_told_with_the_mend(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        _run([0.03, 0.01])
    (record,) = caplog.records
    assert "loss fell to 0.0200 in epoch 1" in record.getMessage()
    assert "--discriminator_learning_rate" in record.getMessage()


def test_a_healthy_one_is_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        _run([0.01, 0.3])
    assert not caplog.records


def test_one_rank_alone_warns(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        _run([0.01], rank=1)
    assert not caplog.records
