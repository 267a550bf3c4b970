import time
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigParser

from fetal_monai.handlers import TimeLimit

BUNDLES = Path(__file__).parents[2] / "bundles"


def _epochs(seconds: float | None, epoch_s: float, max_epochs: int = 8) -> tuple[int, list[str]]:
    """Train with epochs of a known length; return how many were done, and how the run ended."""
    ends: list[str] = []
    trainer = Engine(lambda engine, batch: None)
    # What a validation takes counts too.
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: time.sleep(epoch_s))
    TimeLimit(seconds).attach(trainer)
    trainer.add_event_handler(Events.COMPLETED, lambda: ends.append("completed"))
    trainer.run(range(2), max_epochs=max_epochs)
    return trainer.state.epoch, ends


def test_no_epoch_is_begun_that_would_end_too_late() -> None:
    epochs, ends = _epochs(seconds=0.5, epoch_s=0.1)
    assert 1 < epochs < 5
    assert ends == ["completed"]  # the run is logged as whole


def test_one_epoch_is_always_done() -> None:
    assert _epochs(seconds=1e-9, epoch_s=0.001)[0] == 1


@pytest.mark.parametrize("seconds", [60, None])
def test_a_training_that_fits_is_left_alone(seconds: float | None) -> None:
    assert _epochs(seconds, epoch_s=0.001)[0] == 8


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_limit_is_positive(seconds: float) -> None:
    with pytest.raises(ValueError, match="expected a positive number of seconds"):
        TimeLimit(seconds)


@pytest.mark.parametrize("bundle", sorted(path.name for path in BUNDLES.iterdir()))
@pytest.mark.parametrize("time_limit_s", [None, 90])
def test_bundles_take_a_limit(bundle: str, time_limit_s: int | None) -> None:
    parser = ConfigParser({"time_limit_s": time_limit_s, "device": torch.device("cpu")})
    config = ConfigParser.load_config_file(BUNDLES / bundle / "configs" / "train.json")
    parser["handlers"] = [handler for handler in config["train"]["handlers"] if "TimeLimit" in handler["_target_"]]
    handlers = parser.get_parsed_content("handlers")
    assert [handler.seconds for handler in handlers] == [time_limit_s]
