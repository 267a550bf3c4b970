import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import mlflow
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from fetal_monai.files.csv_table import read_csv_table
from fetal_monai.tracking import EXPERIMENT
from tests.bundles.conftest import REPOSITORY, Run, command, reasons
from tests.bundles.segmentation_bundle import (
    EvaluationTests,
    FormatTests,
    documented,
    flat,
    named,
    run_in,
    runs_of,
    train_in_two_processes,
)

pytestmark = pytest.mark.slow

BUNDLE = REPOSITORY / "bundles" / "bisenet"
# A network that was trained for minutes is not as certain of a head as the shipped one.
CERTAIN_OR_NOT = {"measured", "check"}
SMALL = ["--spatial_size", "[64,128]", "--batch_size", "4"]


@pytest.fixture(scope="module")
def demonstration(checkout: Path, run: Run) -> str:
    """Output of the README's command for a training without a data set, from the repository's root."""
    return run("run", "training", "--config_file", "bundles/bisenet/configs/train.json", cwd=checkout)


@pytest.fixture(scope="module")
def weights(demonstration: str, bundle: Path) -> Path:
    return bundle / "output" / "demonstration" / "train" / "model.pt"


class TestDemonstration:
    def test_it_says_what_it_is(self, demonstration: str) -> None:
        assert "DEMONSTRATION" in demonstration
        assert "--dataset_dir" in demonstration
        assert "BiSeNet: 11.90 M parameters, 1.13 GMAC" in demonstration

    def test_it_leaves_weights_pictures_and_one_mlflow_run(self, demonstration: str, bundle: Path) -> None:
        output = bundle / "output" / "demonstration" / "train"
        assert {"model.pt", "checkpoint.pt", "validation_samples.png"} <= {path.name for path in output.iterdir()}
        client, runs = runs_of(bundle)
        (run,) = [r for r in runs if r.data.tags["stage"] == "train" and r.data.params["demonstration"] == "True"]
        assert run.info.status == "FINISHED"
        expected = {"bundle", "bundle_version", "network", "loss", "learning_rate", "max_epochs", "spatial_size"}
        expected |= {"data_fingerprint", "git_commit", "version_torch", "parameters", "gmacs"}
        assert expected <= run.data.params.keys()
        artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
        assert {"config.json", "model.pt", "validation_samples.png"} <= artifacts

    def test_phantoms_are_learnt_in_a_few_epochs(self, demonstration: str, bundle: Path) -> None:
        client, runs = runs_of(bundle)
        (run,) = [r for r in runs if r.data.tags["stage"] == "train" and r.data.params["demonstration"] == "True"]
        history = client.get_metric_history(run.info.run_id, "val_mean_dice")
        assert len(history) == int(run.data.params["max_epochs"])
        assert max(metric.value for metric in history) >= 0.95


@pytest.fixture(scope="module")
def evaluation(weights: Path, bundle: Path, run: Run) -> Path:
    """Evaluated from the bundle's own folder."""
    run("run", "--config_file", "configs/evaluate.json", "--weights", "output/demonstration/train/model.pt", cwd=bundle)
    return bundle / "output" / "demonstration" / "evaluate"


class TestEvaluation(EvaluationTests):
    def test_phantoms_that_were_not_seen_in_training(self, summary: dict[str, float]) -> None:
        assert summary["section"] == "test"
        assert summary["dice"] >= 0.95
        assert summary["heads_measured"] >= 0.9
        assert summary["head_circumference_absolute_difference_mm"] < 10


class TestInference:
    def test_without_a_data_set_it_measures_phantoms(self, weights: Path, checkout: Path, run: Run) -> None:
        config = "bundles/bisenet/configs/inference.json"
        run("run", "inferring", "--config_file", config, "--weights", str(weights), cwd=checkout)
        output = checkout / "bundles" / "bisenet" / "output" / "demonstration" / "inference"
        with (output / "measurements.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) >= 4
        assert all(row["status"] in CERTAIN_OR_NOT and float(row["head_circumference_mm"]) > 40 for row in rows)
        assert (
            len(list((output / "overlays").glob("*.png"))) == len(list((output / "masks").glob("*.png"))) == len(rows)
        )

    def test_a_bundle_unpacked_elsewhere_one_file_and_a_pixel_spacing(
        self, weights: Path, bundle: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        unpacked = Path(shutil.copytree(bundle / "configs", tmp_path / "bisenet" / "configs")).parent
        frame = sorted((few_phantoms / "training_set").glob("*HC.png"))[0]
        call(
            "run",
            *("--config_file", "bisenet/configs/inference.json", "--bundle_root", "bisenet"),
            *("--dataset_dir", str(frame), "--pixel_spacing_mm", "0.2", "--weights", str(weights)),
            cwd=tmp_path,
        )
        with (unpacked / "output" / "inference" / "measurements.csv").open() as file:
            (row,) = csv.DictReader(file)
        assert row["status"] in CERTAIN_OR_NOT
        assert (row["pixel_spacing_row_mm"], row["pixel_spacing_column_mm"]) == ("0.2", "0.2")
        axes = [float(row[f"semi_axis_{axis}_px"]) * 0.2 for axis in "ab"]
        assert float(row["occipitofrontal_diameter_mm"]) == pytest.approx(2 * axes[0], rel=1e-4)
        assert float(row["biparietal_diameter_outer_to_outer_mm"]) == pytest.approx(2 * axes[1], rel=1e-4)
        with Image.open(unpacked / "output" / "inference" / "masks" / f"{frame.stem}_mask.png") as mask:
            assert mask.size == Image.open(frame).size

    def test_bad_files_become_rows_and_the_others_are_measured(
        self, weights: Path, checkout: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        source, output = tmp_path / "frames", tmp_path / "out"
        source.mkdir()
        good = sorted((few_phantoms / "training_set").glob("*HC.png"))[:2]
        for frame in good:
            shutil.copy(frame, source)
        (source / "truncated.png").write_bytes(good[0].read_bytes()[:5000])
        (source / "empty.png").write_bytes(b"")
        (source / "text.png").write_text("no picture")
        config = "bundles/bisenet/configs/inference.json"
        call(
            *("run", "inferring", "--config_file", config, "--dataset_dir", str(source)),
            *("--output_dir", str(output), "--weights", str(weights)),
            cwd=checkout,
        )
        with (output / "measurements.csv").open() as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
        failed = {"truncated.png", "empty.png", "text.png"}
        assert {name for name, row in rows.items() if row["status"] == "failed"} == failed
        assert all(rows[frame.name]["status"] in ("unscaled", "check") for frame in good)
        assert all(row["reason"] for row in rows.values())
        assert not any(row["head_circumference_mm"] for row in rows.values())


class TestResume:
    """A training that is killed resumes after the last completed epoch, in the same MLflow run."""

    def test_killed_between_epochs(
        self, checkout: Path, bundle: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        train = "bundles/bisenet/configs/train.json"
        arguments = ("--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), "--epochs", "3", *SMALL)
        overlay, checkpoint = tmp_path / "pause.json", tmp_path / "checkpoint.pt"
        pause = {"_target_": "tests.bundles.pause_after_epoch.PauseAfterEpoch"}
        overlay.write_text(json.dumps({"+train#handlers": [pause]}))
        with subprocess.Popen(
            command("run", "training", "--config_file", f"['{train}','{overlay}']", *arguments),
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            text=True,
        ) as training:
            assert training.stdout is not None
            assert any(line == "paused\n" for line in training.stdout)
            training.send_signal(signal.SIGKILL)
        assert torch.load(checkpoint, weights_only=True)["progress"]["epoch"] == 1

        call("run", "training", "--config_file", train, *arguments, "--resume", "True", cwd=checkout)
        assert torch.load(checkpoint, weights_only=True)["progress"]["epoch"] == 3
        client, run = run_in(tmp_path, bundle)
        assert run.info.status == "FINISHED"
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "val_mean_dice")]
        assert sorted(set(steps)) == [1, 2, 3]


class TestMultiGpu:
    def test_two_processes_train_one_network(self, checkout: Path, few_phantoms: Path, tmp_path: Path) -> None:
        configs = "['bundles/bisenet/configs/train.json','bundles/bisenet/configs/multi_gpu_train.json']"
        arguments = ["--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), "--epochs", "2", *SMALL]
        train_in_two_processes(checkout, configs, arguments)
        # Only one rank writes and tracks; the weights have no trace of the wrapper.
        assert (tmp_path / "mlflow_run.txt").is_file()
        names = torch.load(tmp_path / "model.pt", weights_only=True).keys()
        assert not any(name.startswith("module.") for name in names)


class TestFormat(FormatTests):
    source = BUNDLE
    image_shape = (3, 256, 384)


class TestConfigs:
    @pytest.mark.parametrize(
        ("overlay", "size", "gmacs"),
        [
            ("size_512x320", (320, 512), 7.50),
            ("size_256x160", (160, 256), 1.88),
            ("size_128x64", (64, 128), 0.38),
            ("baseline_unet", (256, 384), 24.68),
        ],
    )
    def test_overlays_give_the_papers_rows(self, overlay: str, size: tuple[int, int], gmacs: float) -> None:
        for config in ("train", "evaluate", "inference"):
            parser = ConfigParser()
            parser.read_config([BUNDLE / "configs" / f"{config}.json", BUNDLE / "configs" / f"{overlay}.json"])
            assert tuple(parser["spatial_size"]) == size
            network = parser.get_parsed_content("network_def").eval()
            with torch.no_grad():
                assert network(torch.rand(1, 3, 64, 64)).shape == (1, 2, 64, 64)
            assert parser.get_parsed_content("complexity").gmacs == pytest.approx(gmacs, rel=0.02)

    def test_a_baseline_trains(self, checkout: Path, few_phantoms: Path, tmp_path: Path, call: Run) -> None:
        configs = "['bundles/bisenet/configs/train.json','bundles/bisenet/configs/baseline_unet.json']"
        arguments = ["--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), "--epochs", "1", *SMALL]
        printed = call("run", "training", "--config_file", configs, *arguments, cwd=checkout)
        assert "BasicUNet: 7.84 M parameters" in printed
        assert (tmp_path / "model.pt").is_file()


class TestOverrides:
    """Every override that the bundle's README documents, tried with the real commands."""

    common = ("--device", "$torch.device('cpu')", "--autocast_dtype", "$None", "--spatial_size", "[64,96]")

    def test_training(self, few_phantoms: Path, tmp_path: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        overrides = {
            **named("--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), *self.common),
            **named("--bundle_root", str(BUNDLE), "--epochs", "1", "--batch_size", "5", "--num_workers", "1"),
            **named("--learning_rate", "0.001", "--auxiliary_weight", "0.5", "--seed", "4", "--resume", "False"),
            **named("--val_interval", "1", "--time_limit_s", "3600", "--fold", "$None"),
            **named("--loss", "{'_target_':'DiceCELoss','to_onehot_y':True,'softmax':True}"),
        }
        assert overrides.keys() == documented(BUNDLE, "train")
        store = f"sqlite:///{tmp_path}/mlruns.db"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
        call("run", "training", "--config_file", str(BUNDLE / "configs" / "train.json"), *flat(overrides), cwd=tmp_path)
        client = mlflow.MlflowClient(store)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        assert experiment is not None
        (logged,) = client.search_runs([experiment.experiment_id])
        expected = {"learning_rate": "0.001", "batch_size": "5", "seed": "4", "max_epochs": "1"}
        expected |= {"spatial_size": "[64, 96]", "autocast_dtype": "None", "device": "cpu"}
        assert {name: logged.data.params[name] for name in expected} == expected

    def test_evaluation(self, weights: Path, few_phantoms: Path, checkout: Path, tmp_path: Path, call: Run) -> None:
        overrides = {
            **named("--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), *self.common),
            **named("--bundle_root", "bundles/bisenet", "--weights", str(weights), "--section", "validation"),
            **named("--spatial_size", "[128,192]", "--fold", "$None"),
        }
        assert overrides.keys() == documented(BUNDLE, "evaluate")
        config = "bundles/bisenet/configs/evaluate.json"
        call("run", "evaluating", "--config_file", config, *flat(overrides), cwd=checkout)
        assert json.loads((tmp_path / "summary.json").read_text())["section"] == "validation"

    def test_inference(self, weights: Path, few_phantoms: Path, checkout: Path, tmp_path: Path, call: Run) -> None:
        table = tmp_path / "table.csv"
        frame = sorted((few_phantoms / "training_set").glob("*HC.png"))[0]
        table.write_text(f"filename,gestational_age_days\n{frame.name},150\n")
        overrides = {
            **named("--dataset_dir", str(frame), "--output_dir", str(tmp_path / "out"), *self.common),
            **named("--bundle_root", "bundles/bisenet", "--weights", str(weights), "--table", str(table)),
            **named("--pixel_spacing_mm", "[0.2,0.3]", "--override_pixel_spacing", "True", "--csv_format", "excel"),
            **named("--spatial_size", "[128,192]"),  # that of the training
        }
        assert overrides.keys() == documented(BUNDLE, "inference")
        config = "bundles/bisenet/configs/inference.json"
        call("run", "inferring", "--config_file", config, *flat(overrides), cwd=checkout)
        _, (row,) = read_csv_table(tmp_path / "out" / "measurements.csv", delimiter=";")
        assert (row["pixel_spacing_row_mm"], row["pixel_spacing_column_mm"]) == ("0,2", "0,3")
        assert row["pixel_spacing_source"] == "option"
        assert float(row["known_gestational_age_days"]) == 150


class TestErrors:
    def test_a_data_set_that_is_not_prepared(self, checkout: Path, tmp_path: Path, call: Run) -> None:
        config = "bundles/bisenet/configs/train.json"
        with pytest.raises(RuntimeError) as raised:
            call("run", "training", "--config_file", config, "--dataset_dir", str(tmp_path), cwd=checkout)
        assert f"{tmp_path / 'datalist.json'} does not exist" in reasons(raised.value)
        assert "python -m data_prep.hc18" in reasons(raised.value)

    def test_a_bundle_root_that_is_none(self, tmp_path: Path, few_phantoms: Path, call: Run) -> None:
        config = str(BUNDLE / "configs" / "inference.json")
        arguments = ["--dataset_dir", str(few_phantoms / "training_set"), "--bundle_root", "nowhere"]
        arguments += ["--weights", str(BUNDLE / "models" / "model.pt")]
        with pytest.raises(RuntimeError) as raised:
            call("run", "--config_file", config, *arguments, cwd=tmp_path)
        assert "nowhere is not a bundle" in reasons(raised.value)
        assert "--bundle_root" in reasons(raised.value)

    def test_a_misspelt_override_is_named_before_any_work(self, tmp_path: Path, call: Run) -> None:
        shutil.copytree(BUNDLE / "configs", tmp_path / "bundles" / "bisenet" / "configs")
        config = "bundles/bisenet/configs/train.json"
        with pytest.raises(RuntimeError) as raised:
            call("run", "training", "--config_file", config, "--lerning_rate", "0.1", cwd=tmp_path)
        assert f"{config} does not have --lerning_rate (did you mean --learning_rate?)" in reasons(raised.value)
        assert {path.name for path in (tmp_path / "bundles" / "bisenet").iterdir()} == {"configs"}

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            (("--resume", "false"), "resume must be True or False, got 'false'"),
            (("--autocast_dtype", "null"), "autocast_dtype must be a torch.dtype or None, got 'null'"),
        ],
    )
    def test_a_word_where_a_python_value_is_expected(
        self, option: tuple[str, str], message: str, checkout: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        arguments = ["--dataset_dir", str(few_phantoms), "--output_dir", str(tmp_path), *SMALL, *option]
        config = "bundles/bisenet/configs/train.json"
        with pytest.raises(RuntimeError) as raised:
            call("run", "training", "--config_file", config, *arguments, cwd=checkout)
        assert message in reasons(raised.value)

    def test_another_size_than_the_trainings(self, checkout: Path, few_phantoms: Path, call: Run) -> None:
        configs = [f"bundles/bisenet/configs/{name}.json" for name in ("evaluate", "size_256x160")]
        with pytest.raises(RuntimeError) as raised:
            call("run", "--config_file", str(configs), "--dataset_dir", str(few_phantoms), cwd=checkout)
        assert "model.pt was trained with spatial_size [256, 384], and this run has [160, 256]" in reasons(raised.value)

    def test_weights_that_are_not_there(self, checkout: Path, few_phantoms: Path, call: Run) -> None:
        arguments = ["--dataset_dir", str(few_phantoms / "training_set"), "--weights", "nothing.pt"]
        config = "bundles/bisenet/configs/inference.json"
        with pytest.raises(RuntimeError) as raised:
            call("run", "--config_file", config, *arguments, cwd=checkout)
        assert "There are no weights at nothing.pt" in reasons(raised.value)


class TestShippedWeights:
    def test_checksum_size_and_precision(self) -> None:
        path = BUNDLE / "models" / "model.pt"
        stated, name = (BUNDLE / "models" / "model.pt.sha256").read_text().split()
        assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.name) == (stated, name)
        assert path.stat().st_size < 25 * 2**20
        state = torch.load(path, weights_only=True)
        assert state["spatial_path.0.conv.weight"].dtype == torch.float16
        assert all(value.isfinite().all() for value in state.values())

    def test_official_test_frames_of_hc18_are_all_measured(self, checkout: Path, tmp_path: Path) -> None:
        data = os.environ.get("FETAL_MONAI_DATA")
        if data is None:
            pytest.skip("FETAL_MONAI_DATA is not set: real frames are needed")
        hc18 = Path(data) / "hc18"
        arguments = command(
            *("run", "inferring", "--config_file", "bundles/bisenet/configs/inference.json"),
            *("--dataset_dir", str(hc18 / "test_set"), "--table", str(hc18 / "test_set_pixel_size.csv")),
            *("--output_dir", str(tmp_path)),
        )
        done = subprocess.run(arguments, cwd=checkout, capture_output=True, text=True)
        # The table names frames that are not there; each is a failed row.
        missing = len((hc18 / "test_set_pixel_size.csv").read_text().splitlines()) - 1
        missing -= len(list((hc18 / "test_set").glob("*.png")))
        assert done.returncode == (1 if missing else 0), done.stderr[-3000:]
        if missing:
            assert done.stderr.splitlines()[-1].startswith(f"{missing} of ")
        with (tmp_path / "measurements.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if (hc18 / "test_set" / row["file"]).is_file()]
        assert len(rows) == len(list((hc18 / "test_set").glob("*.png")))
        assert [row["status"] for row in rows].count("check") <= 0.1 * len(rows)
        for row in rows:
            assert row["status"] in CERTAIN_OR_NOT, row
            assert 40 < float(row["head_circumference_mm"]) < 400
            assert (
                0.6
                < float(row["biparietal_diameter_outer_to_outer_mm"]) / float(row["occipitofrontal_diameter_mm"])
                <= 1
            )
