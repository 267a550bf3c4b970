"""A real MLflow store of small runs, as the bundles' RunTracker leaves them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Engine, Events

from fetal_monai.comparison.store import Evaluation, Training
from fetal_monai.tracking import RunTracker

FRAMES = [f"{exam:03d}_HC.png" for exam in range(8)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with a bundle, without its networks; the tests of a module share its store."""
    folder = tmp_path_factory.mktemp("checkout")
    configs = folder / "bundles" / "gan_deeplab" / "configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text(json.dumps({"name": "gan_deeplab", "version": "1.2.3"}))
    (folder / "masks").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        yield folder


class Recorder:
    """Makes runs with the project's own tracker."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.bundle = checkout / "bundles" / "gan_deeplab"
        self.uri = f"sqlite:///{checkout / 'mlruns' / 'mlruns.db'}"
        self._count = 0

    def train(self, seed: int, val_dice: float = 0.9, **parameters: object) -> Path:
        """Train for two epochs; return the weights."""
        output = self._output("train")
        weights = output / "model.pt"
        weights.write_bytes(f"weights {self._count}".encode())
        logged = {"network": "DeepLabV2", "discriminator": "none", "seed": seed, "spatial_size": [96, 144]}
        logged |= {"data_fingerprint": "aaaa", "parameters": 2_000_000, "gmacs": 3.5, **parameters}
        tracker = RunTracker(self.bundle, "train", output, logged, weights=weights)
        engine = Engine(lambda engine, batch: {"loss": torch.tensor(1.0 / engine.state.iteration)})
        engine.add_event_handler(
            Events.EPOCH_COMPLETED,
            lambda e: e.state.metrics.update(
                train_loss=1 / e.state.epoch, val_dice=val_dice - 0.1 * (e.state.epoch == 2)
            ),
        )
        tracker.attach(engine)
        engine.run(range(2), max_epochs=2)
        return weights

    def evaluate(
        self, weights: Path, dice: Sequence[float], images: Sequence[str] = FRAMES, **parameters: object
    ) -> str:
        """Evaluate on frames with these Dice values; return the run's name."""
        output = self._output("evaluate")
        per_image(dice, images).to_csv(output / "per_image.csv")
        logged = {"network": "DeepLabV2", "section": "test", "data_fingerprint": "aaaa", "weights": weights}
        logged |= {"spatial_size": [96, 144], "parameters": 2_000_000, "gmacs": 3.5, **parameters}
        masks = self.checkout / "masks"
        artifacts = [output / "per_image.csv", masks]
        tracker = RunTracker(self.bundle, "evaluate", output, logged, artifacts, weights=weights)
        engine = Engine(lambda engine, batch: None)
        means = per_image(dice, images).mean().to_dict()
        engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.state.metrics.update(means))
        tracker.attach(engine)
        engine.run([0], max_epochs=1)
        return (output / "mlflow_run.txt").read_text()

    def _output(self, stage: str) -> Path:
        self._count += 1
        output = self.bundle / "output" / f"{stage}_{self._count}"
        output.mkdir(parents=True)
        return output


@pytest.fixture(scope="module")
def recorder(checkout: Path) -> Recorder:
    return Recorder(checkout)


def per_image(dice: Sequence[float], images: Sequence[str] = FRAMES) -> pd.DataFrame:
    """Measures of each frame; the smaller the Dice, the larger the HC; a Dice below 0.5 is no head."""
    values = np.asarray(dice, dtype=float)
    difference = np.where(values < 0.5, np.nan, 100 * (1 - values))
    table = pd.DataFrame(
        {
            "dice": values,
            "jaccard": values / (2 - values),
            "head_circumference_mm": 180 + difference,
            "head_circumference_absolute_difference_mm": np.abs(difference),
            "head_circumference_difference_mm": difference,
        },
        index=pd.Index(images, name="image"),
    )
    return table


def training(seed: int = 0, val_dice: float = 0.9, **parameters: Any) -> Training:
    """A training in memory."""
    logged = {"bundle": "gan_deeplab", "network": "DeepLabV2", "discriminator": "none", "seed": seed}
    logged |= {"data_fingerprint": "aaaa", **parameters}
    return Training(
        run_id="t",
        name=f"train-{seed}",
        parameters={key: str(value) for key, value in logged.items()},
        histories={"train_loss": {1: 1.0, 2: 0.5}, "val_dice": {1: val_dice, 2: val_dice - 0.1}},
    )


def evaluation(
    dice: Sequence[float], trained: Training | None = None, images: Sequence[str] = FRAMES, **parameters: Any
) -> Evaluation:
    """An evaluation in memory."""
    logged = {"bundle": "gan_deeplab", "network": "DeepLabV2", "section": "test", "data_fingerprint": "aaaa"}
    table = per_image(dice, images)
    return Evaluation(
        run_id="e",
        name=f"evaluate-{trained.name if trained else 'alone'}",
        parameters={key: str(value) for key, value in {**logged, **parameters}.items()},
        metrics=table.mean().to_dict(),
        per_image=table,
        weights="ab" * 32,
        training=trained,
    )
