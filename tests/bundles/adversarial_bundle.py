"""Checks for both adversarial bundles: test classes inherit them and name their bundle."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from fetal_monai.files.csv_table import read_csv_table
from tests.bundles.conftest import Run
from tests.bundles.segmentation_bundle import (
    EvaluationTests,
    FormatTests,
    documented,
    flat,
    named,
    run_in,
)

LOSSES = {"segmentation_loss", "adversarial_loss", "discriminator_loss_label", "discriminator_loss_prediction"}


def config_files(source: Path, *names: str) -> str:
    """The argument of `--config_file` for configs of a bundle, from the repository's root."""
    return str([f"bundles/{source.name}/configs/{name}.json" for name in names]).replace(" ", "")


def train(run: Run, checkout: Path, source: Path, overrides: dict[str, str], *overlays: str) -> None:
    """Run a training with overlays and overrides."""
    configs = config_files(source, "train", *overlays)
    run("run", "training", "--config_file", configs, *flat(overrides), cwd=checkout)


def tiny_training(source: Path, dataset_dir: Path) -> dict[str, str]:
    """The training overrides that both bundles document, except the output folder, with small values."""
    return {
        **named("--dataset_dir", str(dataset_dir), "--bundle_root", f"bundles/{source.name}", "--seed", "4"),
        **named("--device", "$torch.device('cpu')", "--autocast_dtype", "$None", "--spatial_size", "[32,48]"),
        **named("--epochs", "4", "--val_interval", "1", "--batch_size", "7", "--num_workers", "0", "--resume", "False"),
        **named("--learning_rate", "0.002", "--discriminator_learning_rate", "0.0003", "--adversarial_weight", "0.5"),
        **named("--time_limit_s", "3600", "--fold", "$None", "--loss", "{'_target_':'DiceLoss','softmax':True}"),
    }


def evaluate(run: Run, bundle: Path, weights: Path, dataset_dir: Path, own_overrides: dict[str, str]) -> Path:
    """Evaluate from the bundle's own folder, with every documented override; return the output folder."""
    output = bundle / "output" / "evaluation"
    overrides = {
        **named("--dataset_dir", str(dataset_dir), "--output_dir", str(output), "--bundle_root", "."),
        **named("--device", "$torch.device('cpu')", "--autocast_dtype", "$None", "--section", "validation"),
        **named("--weights", str(weights), "--spatial_size", "[32,48]", "--fold", "$None"),
        **own_overrides,
    }
    assert overrides.keys() == documented(bundle, "evaluate")
    run("run", "--config_file", "configs/evaluate.json", *flat(overrides), cwd=bundle)
    return output


class AdversarialBundleTests(EvaluationTests, FormatTests):
    """Set what `FormatTests` requires, the network's name, and the overrides that only this bundle has."""

    network: ClassVar[str]
    own_overrides: ClassVar[dict[str, str]] = {}
    own_training_overrides: ClassVar[dict[str, str]] = {}

    @pytest.fixture(scope="class")
    def tiny(self, few_phantoms: Path) -> dict[str, str]:
        """All overrides of a small training except its output folder."""
        return {**tiny_training(self.source, few_phantoms), **self.own_overrides, **self.own_training_overrides}

    @pytest.fixture(scope="class")
    def trained(self, tiny: dict[str, str], checkout: Path, bundle: Path, fork: Run) -> Path:
        """The output folder of that training."""
        output = bundle / "output" / "train"
        train(fork, checkout, self.source, {**tiny, "--output_dir": str(output)})
        return output

    @pytest.fixture(scope="class")
    def weights(self, trained: Path) -> Path:
        return trained / "model.pt"

    @pytest.fixture(scope="class")
    def evaluation(self, weights: Path, bundle: Path, few_phantoms: Path, fork: Run) -> Path:
        """The output folder of an evaluation."""
        return evaluate(fork, bundle, weights, few_phantoms, self.own_overrides)

    def test_training_tracks_the_losses_apart(self, trained: Path, bundle: Path) -> None:
        client, run = run_in(trained, bundle)
        assert run.info.status == "FINISHED"
        expected = {"network": self.network, "adversarial_weight": "0.5", "learning_rate": "0.002", "seed": "4"}
        expected |= {"discriminator_learning_rate": "0.0003", "discriminator": "FullyConvolutionalDiscriminator"}
        assert {name: run.data.params[name] for name in expected} == expected
        metrics = run.data.metrics
        assert metrics.keys() >= LOSSES | {
            "discriminator_loss",
            "discriminator_accuracy",
            "train_dice",
            "val_mean_dice",
        }
        assert metrics["train_loss"] == pytest.approx(
            metrics["segmentation_loss"] + 0.5 * metrics["adversarial_loss"], rel=1e-4
        )
        of_both = (metrics["discriminator_loss_label"] + metrics["discriminator_loss_prediction"]) / 2
        assert metrics["discriminator_loss"] == pytest.approx(of_both, rel=1e-4)
        artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
        assert {"config.json", "model.pt", "validation_samples.png"} <= artifacts

    def test_the_checkpoint_holds_both_players_and_the_model_one(self, trained: Path) -> None:
        checkpoint = torch.load(trained / "checkpoint.pt", weights_only=True)
        assert {"network", "optimizer", "lr_scheduler"} <= checkpoint.keys()
        assert {"discriminator", "discriminator_optimizer", "discriminator_lr_scheduler"} <= checkpoint.keys()
        assert checkpoint["network"].keys() == torch.load(trained / "model.pt", weights_only=True).keys()
        # Poly decay ends after the last iteration.
        for name in ("optimizer", "discriminator_optimizer"):
            assert [group["lr"] for group in checkpoint[name]["param_groups"]] == pytest.approx(
                [0.0] * len(checkpoint[name]["param_groups"])
            )

    def test_a_finished_training_is_prolonged(
        self, trained: Path, tiny: dict[str, str], bundle: Path, checkout: Path, call: Run
    ) -> None:
        train(call, checkout, self.source, {**tiny, "--output_dir": str(trained), "--epochs": "5", "--resume": "True"})
        client, tracked = run_in(trained, bundle)
        assert tracked.info.status == "FINISHED"
        history = client.get_metric_history(tracked.info.run_id, "discriminator_loss")
        assert sorted({metric.step for metric in history}) == [1, 2, 3, 4, 5]
        assert torch.load(trained / "checkpoint.pt", weights_only=True)["progress"]["epoch"] == 5

    def test_every_documented_training_override_is_tried(self, tiny: dict[str, str]) -> None:
        assert tiny.keys() | {"--output_dir"} == documented(self.source, "train")

    def test_evaluation_tells_overlap_and_edges_and_keeps_the_masks(
        self, summary: dict[str, Any], evaluation: Path
    ) -> None:
        assert summary["section"] == "validation"
        assert summary["network"] == self.network
        # 95 % of an outline's points are no farther than the farthest one, and the average is smaller.
        assert summary["mean_surface_distance_mm"] <= summary["hausdorff_distance_95_mm"]
        assert summary["hausdorff_distance_95_mm"] <= summary["hausdorff_distance_mm"]
        assert len(list((evaluation / "masks").glob("*_mask.png"))) == summary["images"]

    def test_inference_writes_a_mask_a_picture_and_a_table(
        self, weights: Path, checkout: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        frame = sorted((few_phantoms / "training_set").glob("*HC.png"))[0]
        table = tmp_path / "table.csv"
        table.write_text(f"filename,pixel_spacing_mm\n{frame.name},0.1\n")
        overrides = {
            **named("--dataset_dir", str(frame), "--output_dir", str(tmp_path / "out"), "--table", str(table)),
            **named("--device", "$torch.device('cpu')", "--autocast_dtype", "$None", "--pixel_spacing_mm", "0.2"),
            **named("--override_pixel_spacing", "True", "--csv_format", "excel"),
            **named("--weights", str(weights), "--spatial_size", "[32,48]"),
            **named("--bundle_root", f"bundles/{self.source.name}"),
            **self.own_overrides,
        }
        assert overrides.keys() == documented(self.source, "inference")
        configs = config_files(self.source, "inference")
        call("run", "inferring", "--config_file", configs, *flat(overrides), cwd=checkout)
        names = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
        assert {"measurements.csv", f"{frame.stem}_mask.png", f"{frame.stem}_overlay.png"} <= names
        _, (row,) = read_csv_table(tmp_path / "out" / "measurements.csv", delimiter=";")
        assert row["file"] == frame.name

    def test_the_plain_u_net_trains_without_discriminator(
        self, tiny: dict[str, str], checkout: Path, bundle: Path, tmp_path: Path, call: Run
    ) -> None:
        train(call, checkout, self.source, {**tiny, "--output_dir": str(tmp_path)}, "baseline", "baseline_unet")
        _, tracked = run_in(tmp_path, bundle)
        assert tracked.data.params["network"] == "BasicUNet"
        assert (tmp_path / "model.pt").is_file()
