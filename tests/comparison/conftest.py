"""A real MLflow store of small runs, as logged by the bundles' RunTracker."""

import json
from collections.abc import Iterator, Mapping, Sequence
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
REGIONS = ("head", "limbs", "background")
PLANES = ["a.png", "b.png", "c.png", "d.png"]
PLANE_LABELS = ("head", "head, limbs", "limbs", "background")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with a bundle, without its networks; the tests of a module share its store."""
    folder = tmp_path_factory.mktemp("checkout")
    configs = folder / "bundles" / "gan_deeplab" / "configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text(json.dumps({"bundle": "gan_deeplab", "version": "1.2.3"}))
    (folder / "masks").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        yield folder


class Recorder:
    """Log runs with the project's own tracker."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.bundle = checkout / "bundles" / "gan_deeplab"
        self.uri = f"sqlite:///{checkout / 'mlruns' / 'mlruns.db'}"
        self._count = 0

    def train(
        self, seed: int, val_mean_dice: float = 0.9, validated: str = "val_mean_dice", **parameters: object
    ) -> Path:
        """Train for two epochs, of which the first is better; return the weights."""
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
                {"train_loss": 1 / e.state.epoch, validated: val_mean_dice - 0.1 * (e.state.epoch == 2)}
            ),
        )
        tracker.attach(engine)
        engine.run(range(2), max_epochs=2)
        return weights

    def evaluate(
        self, weights: Path, dice: Sequence[float], images: Sequence[str] = FRAMES, **parameters: object
    ) -> str:
        """Evaluate on frames with these Dice values; return the run's name."""
        table = per_image(dice, images)
        return self._evaluate(weights, table, table.mean().to_dict(), [self.checkout / "masks"], parameters)

    def train_regions(self, backbone: str, fold: int, log_likelihood: float = -0.3, **parameters: object) -> Path:
        """Train on the other folds; return the weights."""
        network: dict[str, object] = {"network": "SoftProposalNetwork", "backbone": backbone, "fold": fold}
        return self.train(0, log_likelihood, "val_log_likelihood", data_fingerprint="cccc", **network, **parameters)

    def evaluate_regions(
        self, weights: Path, backbone: str, fold: int, winners: Sequence[str], loop: bool = False, **parameters: object
    ) -> str:
        """Evaluate on a fold's four planes, or frames of a loop, given the winning classes; return the run's name."""
        table = regions_per_image(winners, ["loop.avi"] * 4 if loop else PLANES)
        table["frame"] = range(4) if loop else None
        metrics = {"accuracy_mean": table["right"].mean(), "accuracy_head": table["right"][:2].mean()}
        metrics |= {"iou_mean": table["iou"].mean(), "ms_per_frame": 4.0}
        network: dict[str, object] = {"network": "SoftProposalNetwork", "backbone": backbone, "fold": fold}
        return self._evaluate(weights, table, metrics, [], {"data_fingerprint": "cccc", **network, **parameters})

    def _evaluate(
        self,
        weights: Path,
        table: pd.DataFrame,
        means: Mapping[str, float],
        artifacts: Sequence[Path],
        parameters: Mapping[str, object],
    ) -> str:
        output = self._output("evaluate")
        table.to_csv(output / "per_image.csv")
        logged = {"network": "DeepLabV2", "section": "test", "data_fingerprint": "aaaa", "weights": weights}
        logged |= {"spatial_size": [96, 144], "parameters": 2_000_000, "gmacs": 3.5, **parameters}
        files = [output / "per_image.csv", *artifacts]
        tracker = RunTracker(self.bundle, "evaluate", output, logged, files, weights=weights)
        engine = Engine(lambda engine, batch: None)
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
    """Measures of each frame: the smaller the Dice, the larger the HC; no head is found if the Dice is below 0.5."""
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


def regions_per_image(winners: Sequence[str], images: Sequence[str] = PLANES) -> pd.DataFrame:
    """Results on four planes, given the winning classes; only the limbs have a box, and it is found."""
    labels = [label.split(", ") for label in PLANE_LABELS]
    right = [int(winner in shown) for winner, shown in zip(winners, labels, strict=True)]
    scores = {f"score_{name}": [0.9 if winner == name else 0.1 for winner in winners] for name in REGIONS}
    iou = [1.0 if winner == "limbs" else np.nan for winner in winners]
    columns = {"labels": PLANE_LABELS, "winner": winners, "right": right, "iou": iou, **scores}
    return pd.DataFrame(columns, index=pd.Index(images, name="image"))


def training(
    seed: int = 0, val_mean_dice: float = 0.9, validated: str = "val_mean_dice", **parameters: Any
) -> Training:
    """A training in memory."""
    logged = {"bundle": "gan_deeplab", "network": "DeepLabV2", "discriminator": "none", "seed": seed}
    logged |= {"data_fingerprint": "aaaa", **parameters}
    return Training(
        run_id="t",
        name=f"train-{seed}",
        parameters={key: str(value) for key, value in logged.items()},
        histories={"train_loss": {1: 1.0, 2: 0.5}, validated: {1: val_mean_dice, 2: val_mean_dice - 0.1}},
    )


def evaluation(
    dice: Sequence[float], trained: Training | None = None, images: Sequence[str] = FRAMES, **parameters: Any
) -> Evaluation:
    """An evaluation of masks in memory."""
    return _evaluation(per_image(dice, images), trained, parameters)


def regions_evaluation(
    winners: Sequence[str], trained: Training | None = None, images: Sequence[str] = PLANES, **parameters: Any
) -> Evaluation:
    """An evaluation of regions in memory."""
    return _evaluation(regions_per_image(winners, images), trained, parameters)


def _evaluation(table: pd.DataFrame, trained: Training | None, parameters: Mapping[str, Any]) -> Evaluation:
    logged = {"bundle": "gan_deeplab", "network": "DeepLabV2", "section": "test", "data_fingerprint": "aaaa"}
    return Evaluation(
        run_id="e",
        name=f"evaluate-{trained.name if trained else 'alone'}",
        parameters={key: str(value) for key, value in {**logged, **parameters}.items()},
        metrics=table.mean(numeric_only=True).to_dict(),
        per_image=table,
        weights="ab" * 32,
        training=trained,
    )
