import csv
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from numpy.testing import assert_allclose
from PIL import Image

from fetal_monai.data import (
    inspect_label_folder,
    load_classification_datalist,
    write_classification_datalist,
)
from fetal_monai.networks import SoftProposalNetwork
from fetal_monai.phantom import write_plane_phantoms
from tests.bundles.bright_network import bright_network
from tests.bundles.conftest import REPOSITORY, Run
from tests.bundles.segmentation_bundle import (
    FormatTests,
    documented,
    flat,
    named,
    run_in,
)
from tests.data.io.cine.loops import RATE_HZ, write_video
from tests.frame_files import write_metaimage

pytestmark = pytest.mark.slow

# The output folder, and the rows of the table in it.
Evaluated: TypeAlias = tuple[Path, list[dict[str, str]]]
Localised: TypeAlias = tuple[Path, dict[str, list[dict[str, str]]]]

BUNDLE = REPOSITORY / "bundles" / "soft_proposal"
TRAIN, EVALUATE, INFERENCE = (
    f"bundles/soft_proposal/configs/{name}.json" for name in ("train", "evaluate", "inference")
)
BRIGHT = (slice(96, 144), slice(112, 176))  # rows and columns of the 224x224 px of input
COMMON = named(
    *("--device", "$torch.device('cpu')", "--autocast_dtype", "$None", "--spatial_size", "[64,64]"),
    *("--backbone", "resnet18", "--proposal", "closed_form", "--polar", "True", "--geometry", "None"),
)


@pytest.fixture(scope="session")
def few_phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data set of a few simulated planes, some of them with two labels."""
    folder = tmp_path_factory.mktemp("few_planes")
    write_plane_phantoms(folder, 28, seed=3)
    write_classification_datalist(inspect_label_folder(folder), {"name": "planes"}, folder)
    return folder


@pytest.fixture(scope="module")
def sectors(few_phantoms: Path) -> Path:
    """The table of the phantoms' labels, which contains their sectors."""
    return few_phantoms / "labels.csv"


@pytest.fixture(scope="module")
def tiny(few_phantoms: Path, sectors: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The training overrides that the README documents, except the output folder, with small values."""
    pretrained = tmp_path_factory.mktemp("pretrained") / "backbone.pt"
    torch.save(SoftProposalNetwork().backbone.state_dict(), pretrained)
    return {
        **named("--dataset_dir", str(few_phantoms), "--bundle_root", "bundles/soft_proposal", "--seed", "4"),
        **named("--epochs", "2", "--val_interval", "1", "--batch_size", "7", "--num_workers", "0"),
        **named("--learning_rate", "0.01", "--learning_rate_step", "1", "--resume", "False", "--fold", "1"),
        **named(
            "--optimizer", "{'_target_':'torch.optim.AdamW','params':'$@network.parameters()','lr':'@learning_rate'}"
        ),
        **named("--pretrained", str(pretrained), "--time_limit_s", "3600"),
        **named("--pretrained_sha256", hashlib.sha256(pretrained.read_bytes()).hexdigest()),
        **COMMON,
        **named("--geometry_table", str(sectors)),
    }


@pytest.fixture(scope="module")
def trained(tiny: dict[str, str], checkout: Path, bundle: Path, fork: Run) -> tuple[Path, str]:
    """The output folder of a training by the README's command, and its output."""
    output = bundle / "output" / "train"
    overrides = {**tiny, "--output_dir": str(output)}
    assert overrides.keys() == documented(bundle, "train")
    return output, fork("run", "training", "--config_file", TRAIN, *flat(overrides), cwd=checkout)


@pytest.fixture(scope="module")
def weights(trained: tuple[Path, str]) -> Path:
    return trained[0] / "model.pt"


class TestFormat(FormatTests):
    source = BUNDLE
    image_shape = (1, 64, 64)


class TestTraining:
    def test_it_says_what_it_trains_on_and_tracks_it(
        self, trained: tuple[Path, str], few_phantoms: Path, bundle: Path
    ) -> None:
        output, printed = trained
        count = len(load_classification_datalist(few_phantoms, "training", 1))
        assert f"sectors of the training frames: {{'data list': {count}}}" in printed
        assert "SoftProposalNetwork: 12.35 M parameters, 0.15 GMAC" in printed
        assert "0 missing" in printed  # of the pre-trained backbone
        client, tracked = run_in(output, bundle)
        expected = {"backbone": "resnet18", "polar": "True", "fold": "1", "learning_rate": "0.01"}
        expected |= {"training_frames": str(count), "loss": "MultiLabelSoftMarginLoss", "optimizer": "AdamW"}
        assert {name: tracked.data.params[name] for name in expected} == expected
        history = client.get_metric_history(tracked.info.run_id, "val_log_likelihood")
        assert len(history) == 2
        assert max(metric.value for metric in history) < 0
        assert "val_accuracy" in tracked.data.metrics

    def test_its_log_has_one_line_for_each_fact(self, trained: tuple[Path, str]) -> None:
        _, printed = trained
        for epoch in (1, 2):
            for metric in ("train_loss", "val_log_likelihood"):
                assert len(re.findall(rf"INFO Epoch\[{epoch}\] Metrics -- .*{metric}: ", printed)) == 1
        assert "INFO best val_log_likelihood so far" in printed
        noise = ("Engine run", "Complete. Time taken", "new best metric", "Key metric", "nvImageCodec", "mlflow.store")
        assert [words for words in noise if words in printed] == []

    def test_a_resumed_training_ends_where_an_unbroken_one_does(
        self, tiny: dict[str, str], trained: tuple[Path, str], checkout: Path, tmp_path: Path, call: Run
    ) -> None:
        for changes in (named("--epochs", "1"), named("--resume", "True")):
            overrides = {**tiny, "--output_dir": str(tmp_path), **changes}
            call("run", "training", "--config_file", TRAIN, *flat(overrides), cwd=checkout)
        states = [
            torch.load(folder / "checkpoint.pt", weights_only=True)["network"] for folder in (trained[0], tmp_path)
        ]
        for name, value in states[0].items():
            torch.testing.assert_close(states[1][name], value, rtol=1e-4, atol=1e-5)

    def test_two_processes_train(
        self, tiny: dict[str, str], checkout: Path, weights: Path, tmp_path: Path, fork: Run
    ) -> None:
        overrides = {**tiny, "--output_dir": str(tmp_path), "--epochs": "1"}
        del overrides["--device"]
        overlay = "bundles/soft_proposal/configs/multi_gpu_train.json"
        configs = f"['{TRAIN}','{overlay}']"
        fork("run", "training", "--config_file", configs, *flat(overrides), cwd=checkout, ranks=2)
        state, alone = (torch.load(path, weights_only=True) for path in (tmp_path / "model.pt", weights))
        assert state.keys() == alone.keys()

    def test_frames_with_two_labels_have_two_ones(self, few_phantoms: Path) -> None:
        parser = ConfigParser()
        parser.read_config(BUNDLE / "configs" / "train.json")
        parser.update({"dataset_dir": str(few_phantoms), "spatial_size": [32, 32], "bundle_root": str(BUNDLE)})
        dataset = parser.get_parsed_content("train#dataset")
        targets = np.array([item["target"].tolist() for item in dataset])
        assert (targets.sum(axis=1) == 2).any()
        images = torch.stack([item["image"] for item in dataset])
        assert images.shape[1:] == (1, 32, 32)
        assert_allclose([images.amin((1, 2, 3)), images.amax((1, 2, 3))], [[0] * len(images), [1] * len(images)])
        # The loss is zero for perfect logits, and positive for logits that miss one of two labels.
        loss = parser.get_parsed_content("loss")
        labels = torch.tensor(targets, dtype=torch.float32)
        assert loss(40 * labels - 20, labels) == pytest.approx(0, abs=1e-6)
        two = int(np.argmax(targets.sum(axis=1)))
        one_of_them = torch.nn.functional.one_hot(labels[two].argmax(), 7)[None]
        assert loss(40 * one_of_them - 20.0, labels[two : two + 1]) > 1

    def test_only_the_mirror_is_random(self) -> None:
        transforms = ConfigParser.load_config_file(BUNDLE / "configs" / "train.json")["train"]["random_transforms"]
        assert [(each["_target_"], each["spatial_axis"]) for each in transforms] == [("RandFlipd", 1)]


@pytest.mark.parametrize(
    ("overlay", "parameters", "sites"),
    [
        ("resnet34", 22_462_151, 2),
        ("vgg13", 10_593_479, 4),
        ("vgg16", 15_905_735, 4),
        ("no_polar", 12_353_991, 2),
        ("average_pooling", 12_353_991, 2),
    ],
)
def test_overlays(overlay: str, parameters: int, sites: int) -> None:
    for config in ("train", "evaluate", "inference"):
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{config}.json", BUNDLE / "configs" / f"{overlay}.json"])
        assert parser.get_parsed_content("complexity").parameters == parameters
    with torch.no_grad():
        response = parser.get_parsed_content("network_def").eval().localise(torch.rand(1, 1, 64, 64))
    assert response.response_maps.shape == (1, 7, sites, sites)
    assert (response.proposal == 1 / sites**2).all() == (overlay == "average_pooling")
    options = parser.get_parsed_content("geometry_options")
    assert options == ({"geometry": "polar"} if overlay == "no_polar" else None)
    assert parser.get_parsed_content("depth_trim") == (0 if overlay == "no_polar" else 0.1)


@pytest.fixture(scope="module")
def evaluation(checkout: Path, bundle: Path, few_phantoms: Path, weights: Path, sectors: Path, fork: Run) -> Evaluated:
    output = bundle / "output" / "evaluation"
    overrides = {
        **named("--dataset_dir", str(few_phantoms), "--output_dir", str(output), "--bundle_root", str(bundle)),
        **named("--weights", str(weights), "--section", "test", "--fold", "1"),
        **named("--threshold_rule", "median_to_max", "--threshold_excess", "0.4", "--largest_component", "True"),
        **COMMON,
        **named("--geometry_table", str(sectors)),
    }
    assert overrides.keys() == documented(bundle, "evaluate")
    fork("run", "evaluating", "--config_file", EVALUATE, *flat(overrides), cwd=checkout)
    with (output / "per_image.csv").open(newline="") as file:
        return output, list(csv.DictReader(file))


class TestEvaluation:
    def test_every_frame_of_the_fold_has_a_row(self, evaluation: Evaluated, few_phantoms: Path) -> None:
        expected = load_classification_datalist(few_phantoms, "test", 1)
        _, rows = evaluation
        assert [row["image"] for row in rows] == [Path(frame["image"]).name for frame in expected]
        assert [row["labels"] for row in rows] == [frame["labels"] for frame in expected]
        assert any("," in row["labels"] for row in rows)
        for row, frame in zip(rows, expected, strict=True):
            box = [float(row[edge]) for edge in ("x_min", "y_min", "x_max", "y_max") if row[edge]]
            with Image.open(frame["image"]) as image:
                width, height = image.size
            assert not box or 0 <= box[0] < box[2] <= width
            assert not box or 0 <= box[1] < box[3] <= height
            assert bool(box) != bool(row["no_box"])

    def test_tables_and_figures_are_logged(self, evaluation: Evaluated, bundle: Path) -> None:
        output, _ = evaluation
        client, tracked = run_in(output, bundle)
        logged = {artifact.path for artifact in client.list_artifacts(tracked.info.run_id)}
        written = {path.name for path in output.iterdir()} - {"mlflow_run.txt", "evaluate_files.txt"}
        assert written <= logged
        assert {"confusion_matrix.png", "precision_recall.csv", "iou.csv", "summary.json"} <= written
        summary = json.loads((output / "summary.json").read_text())
        assert tracked.data.metrics["accuracy_mean"] == pytest.approx(summary["accuracy_mean"])
        assert tracked.data.params["threshold_rule"] == "median_to_max"


@pytest.fixture(scope="module")
def inference(checkout: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory, call: Run) -> Localised:
    folder = tmp_path_factory.mktemp("inference")
    source, output = folder / "frames", folder / "out"
    (source / "exam").mkdir(parents=True)
    frame = np.full((448, 672), 40, np.uint8)
    rows, columns = BRIGHT
    frame[2 * rows.start : 2 * rows.stop, 3 * columns.start : 3 * columns.stop] = 250
    Image.fromarray(frame).save(source / "exam" / "still.png")
    write_video(source / "loop.mp4", np.stack([frame] * 4), "libx264", "yuv420p")
    write_metaimage(source / "stack.mha", np.stack([frame] * 2))
    (source / "bad.png").write_bytes(b"no picture")
    (source / "cut.mp4").write_bytes((source / "loop.mp4").read_bytes()[:300])
    table = folder / "sectors.csv"
    table.write_text("filename,geometry\nstill.png,polar\n")
    torch.save(bright_network().state_dict(), folder / "model.pt")
    overrides = {
        **named("--dataset_dir", str(source), "--output_dir", str(output), "--bundle_root", str(bundle)),
        **named("--weights", str(folder / "model.pt"), "--overlays", "True"),
        **named("--threshold_rule", "median_to_max", "--threshold_excess", "0.5", "--largest_component", "False"),
        **{**COMMON, "--backbone": "vgg13_bn", "--proposal": "uniform", "--spatial_size": "[224,224]"},
        **named("--polar", "False", "--geometry_table", str(table), "--csv_format", "excel"),
    }
    assert overrides.keys() == documented(bundle, "inference")
    call("run", "inferring", "--config_file", INFERENCE, *flat(overrides), cwd=checkout)
    by_file: dict[str, list[dict[str, str]]] = {}
    with (output / "regions.csv").open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader((line.replace(",", ".") for line in file), delimiter=";"):
            by_file.setdefault(row["file"], []).append(row)
    return output, by_file


class TestInference:
    """Inference on stills, loops and unreadable files with a network that finds what is bright."""

    def test_the_box_is_in_the_frames_own_pixels(self, inference: Localised) -> None:
        _, by_file = inference
        rows, columns = BRIGHT
        expected = [3 * columns.start, 2 * rows.start, 3 * columns.stop, 2 * rows.stop]
        for name in ("exam/still.png", "loop.mp4", "stack.mha"):
            for row in by_file[name]:
                box = [float(row[edge]) for edge in ("x_min", "y_min", "x_max", "y_max")]
                assert (row["status"], row["region"]) == ("localised", "head")
                # Within half a pixel of the response map, 16 px of the input.
                assert_allclose(box, expected, atol=3 * 16 / 2)

    def test_loops_are_streamed_frame_by_frame(self, inference: Localised) -> None:
        output, by_file = inference
        assert [row["frame"] for row in by_file["loop.mp4"]] == ["0", "1", "2", "3"]
        assert [float(row["time_s"]) for row in by_file["loop.mp4"]] == pytest.approx(
            [index / RATE_HZ for index in range(4)]
        )
        assert [row["frame"] for row in by_file["stack.mha"]] == ["0", "1"]
        written = {path.relative_to(output / "overlays").as_posix() for path in (output / "overlays").rglob("*.*")}
        assert written == {"exam/still_overlay.png", "loop_overlay.mp4", "stack_mha_overlay.mp4"}
        with av.open(str(output / "overlays" / "loop_overlay.mp4")) as container:
            assert len(list(container.decode(video=0))) == 4

    def test_bad_files_are_rows_with_the_reason(self, inference: Localised) -> None:
        _, by_file = inference
        for name in ("bad.png", "cut.mp4"):
            (row,) = by_file[name]
            assert row["status"] == "failed"
            assert row["reason"]
            assert not row["region"]

    def test_frames_a_second_are_tracked(self, inference: Localised, bundle: Path) -> None:
        _, tracked = run_in(inference[0], bundle)
        assert tracked.data.metrics["frames_per_second"] > 0

    def test_the_heat_lies_on_the_bright_part(self, inference: Localised) -> None:
        with Image.open(inference[0] / "overlays" / "exam" / "still_overlay.png") as picture:
            pixels = np.asarray(picture).astype(int)
        scale = pixels.shape[1] / 672
        coloured = np.ptp(pixels[: int(448 * scale)], axis=-1) > 30
        rows, columns = (np.mean(indices) / scale for indices in np.nonzero(coloured))
        assert (rows, columns) == pytest.approx((240, 432), abs=20)

    def test_a_bundle_unpacked_elsewhere_estimates_the_sector_of_one_frame(
        self, weights: Path, few_phantoms: Path, tmp_path: Path, fork: Run
    ) -> None:
        shutil.copytree(BUNDLE / "configs", tmp_path / "soft_proposal" / "configs")
        frame = sorted((few_phantoms / "images").iterdir())[0]
        fork(
            *("run", "--config_file", "soft_proposal/configs/inference.json", "--bundle_root", "soft_proposal"),
            *("--dataset_dir", str(frame), "--weights", str(weights), "--spatial_size", "[64,64]"),
            *("--overlays", "False"),
            cwd=tmp_path,
        )
        output = tmp_path / "soft_proposal" / "output" / "inference"
        with (output / "regions.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["file"], row["geometry"], row["geometry_origin"]) == (frame.name, "sector", "estimate")
        assert not (output / "overlays").exists()


def test_polar_takes_no_other_word(few_phantoms: Path) -> None:
    parser = ConfigParser()
    parser.read_config(BUNDLE / "configs" / "inference.json")
    parser.update({"polar": "false", "dataset_dir": str(few_phantoms)})
    with pytest.raises(RuntimeError) as raised:
        parser.get_parsed_content("geometry_options")
    assert str(raised.value.__cause__) == "'false'"
