"""Checks for every bundle (`FormatTests`) and every segmentation bundle (`EvaluationTests`), to inherit from."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import mlflow
import numpy as np
import pytest
import torch
import yaml
from monai.bundle import ConfigParser, ConfigWorkflow

from fetal_monai.tracking import EXPERIMENT, tracking_uri
from tests.bundles.conftest import Run


def runs_of(bundle: Path) -> tuple[mlflow.MlflowClient, list[mlflow.entities.Run]]:
    """The runs in the store next to a bundle."""
    client = mlflow.MlflowClient(tracking_uri(bundle))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return client, list(client.search_runs([experiment.experiment_id]))


def run_in(output_dir: Path, bundle: Path) -> tuple[mlflow.MlflowClient, mlflow.entities.Run]:
    """The tracked run that wrote to a folder."""
    client, runs = runs_of(bundle)
    name = (output_dir / "mlflow_run.txt").read_text()
    (run,) = [run for run in runs if run.info.run_name == name]
    return client, run


def named(*arguments: str) -> dict[str, str]:
    """Command-line overrides by name."""
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def flat(overrides: dict[str, str]) -> list[str]:
    """The overrides as a command line."""
    return [part for item in overrides.items() for part in item]


def documented(bundle: Path, config: str) -> set[str]:
    """The overrides that the table in a bundle's README lists for a config."""
    rows = re.findall(r"^\| `(--\w+)` \| ([\w, ]+) \|", (bundle / "docs" / "README.md").read_text(), re.MULTILINE)
    return {name for name, configs in rows if configs == "all" or config in configs.split(", ")}


def train_in_two_processes(checkout: Path, configs: str, arguments: Sequence[str]) -> None:
    """Run a training as `torchrun --nproc_per_node=2` does."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    launch += ["-m", "monai.bundle", "run", "training", "--config_file", configs, *arguments]
    for _ in range(2):
        done = subprocess.run(
            launch, cwd=checkout, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
        )
        # Gloo's threads may abort an interpreter that is shutting down after its work (pytorch/pytorch#179291).
        if "terminate called without an active exception" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr[-6000:]


class FormatTests:
    """Checks of MONAI's model zoo. Set `source`; the fixture `weights` names trained weights."""

    source: ClassVar[Path]
    image_shape: ClassVar[tuple[int, int, int]]
    network_overrides: ClassVar[tuple[str, ...]] = ()

    def parsed_network_overrides(self) -> dict[str, Any]:
        """`network_overrides` as parsed from the command line."""
        return {
            name.removeprefix("--"): yaml.safe_load(value) for name, value in named(*self.network_overrides).items()
        }

    def test_metadata_follows_the_schema(self, call: Run, tmp_path: Path) -> None:
        data = os.environ.get("FETAL_MONAI_DATA")
        if data is None:
            pytest.skip("FETAL_MONAI_DATA is not set: it holds the schema of MONAI's model zoo")
        schema = shutil.copy(Path(data) / "monai" / "meta_schema_20240725.json", tmp_path)
        call("verify_metadata", "--meta_file", "configs/metadata.json", "--filepath", str(schema), cwd=self.source)

    def test_the_network_has_the_stated_input_and_output(self, call: Run) -> None:
        call(
            *("verify_net_in_out", "--net_id", "network_def", "--meta_file", "configs/metadata.json"),
            *("--config_file", "configs/inference.json"),
            cwd=self.source,
        )

    def test_exports_compute_what_the_network_computes(self, weights: Path, bundle: Path, call: Run) -> None:
        common = ["--net_id", "network_def", "--ckpt_file", str(weights), *self.network_overrides]
        common += ["--meta_file", "configs/metadata.json", "--config_file", "configs/inference.json"]
        shape = ["--input_shape", str([1, *self.image_shape]).replace(" ", "")]
        call("ckpt_export", "--filepath", "output/model.ts", *common, *shape, cwd=bundle)
        # As in the README: traced with two frames, it takes any number.
        shape = ["--input_shape", str([2, *self.image_shape]).replace(" ", "")]
        names = {"input_names": ["image"], "output_names": ["pred"]}
        dynamic = {"dynamic_axes": {"image": {0: "batch"}, "pred": {0: "batch"}}}
        named_axes = ["--converter_kwargs", str(names | dynamic).replace(" ", "")]
        call("onnx_export", "--filepath", "output/model.onnx", *common, *shape, *named_axes, cwd=bundle)
        parser = ConfigParser()
        parser.read_config(bundle / "configs" / "inference.json")
        parser.update(self.parsed_network_overrides())
        network = parser.get_parsed_content("network_def")
        network.load_state_dict(torch.load(weights, weights_only=True))
        network.eval()
        image = torch.rand(1, *self.image_shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(image)
            torch.testing.assert_close(torch.jit.load(bundle / "output" / "model.ts")(image), expected)
        from onnx.reference import ReferenceEvaluator

        exported = ReferenceEvaluator(str(bundle / "output" / "model.onnx"))
        (computed,) = exported.run(None, {exported.input_names[0]: image.numpy()})
        np.testing.assert_allclose(computed, expected.numpy(), rtol=1e-3, atol=1e-3)

    def test_training_evaluation_and_inference_in_one_process(
        self, bundle: Path, few_phantoms: Path, tmp_path: Path
    ) -> None:
        """The model zoo's unit tests of a bundle."""
        frame, *_ = sorted(few_phantoms.rglob("*.png"))
        weights = {"weights": str(tmp_path / "train" / "model.pt")}
        for config, kind, overrides in (
            ("train", "train", {"epochs": 1, "batch_size": 4}),
            ("evaluate", "train", weights),
            ("inference", "infer", {**weights, "dataset_dir": str(frame)}),
        ):
            configs = bundle / "configs"
            common = {"bundle_root": str(bundle), "dataset_dir": str(few_phantoms), "spatial_size": [64, 96]}
            common |= {"output_dir": str(tmp_path / config), **self.parsed_network_overrides()}
            workflow = ConfigWorkflow(
                str(configs / f"{config}.json"),
                str(configs / "metadata.json"),
                str(configs / "logging.conf"),
                workflow_type=kind,
                **{**common, **overrides},
            )
            workflow.initialize()
            assert config == "evaluate" or workflow.check_properties() == []
            workflow.run()
            workflow.finalize()
        assert {path.name for path in tmp_path.iterdir()} == {"train", "evaluate", "inference"}


class EvaluationTests:
    """Checks of what an evaluation writes. The fixture `evaluation` names its output folder."""

    @pytest.fixture
    def summary(self, evaluation: Path) -> dict[str, float]:
        return json.loads((evaluation / "summary.json").read_text())

    def test_means_are_those_of_the_rows(self, summary: dict[str, float], evaluation: Path) -> None:
        with (evaluation / "per_image.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == summary["images"]
        for name in rows[0].keys() - {"image"}:
            values = [float(row[name]) for row in rows if row[name]]  # empty: no head was measured
            assert not values or np.mean(values) == pytest.approx(summary[name], rel=1e-4), name

    def test_a_comparison_finds_masks_measures_and_the_training(
        self, evaluation: Path, weights: Path, bundle: Path, summary: dict[str, float]
    ) -> None:
        client, evaluated = run_in(evaluation, bundle)
        assert re.fullmatch("[0-9a-f]{64}", evaluated.data.tags["weights_sha256"])
        artifacts = {artifact.path for artifact in client.list_artifacts(evaluated.info.run_id)}
        assert artifacts == {"config.json", "per_image.csv", "summary.json", "masks"}
        assert len(client.list_artifacts(evaluated.info.run_id, "masks")) == summary["images"]
        assert {"head_circumference_mm", "hausdorff_distance_95_mm", "mean_surface_distance_mm"} <= summary.keys()
        _, trained = run_in(weights.parent, bundle)
        assert trained.data.tags["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()

    def test_dice_is_that_of_the_jaccard_index_in_every_image(self, evaluation: Path) -> None:
        with (evaluation / "per_image.csv").open() as file:
            rows = list(csv.DictReader(file))
        dice, jaccard = ([float(row[name]) for row in rows] for name in ("dice", "jaccard"))
        assert max(dice) > 0
        assert dice == pytest.approx([2 * each / (1 + each) for each in jaccard], rel=1e-4)
