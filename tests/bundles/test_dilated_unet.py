import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fetal_monai.biometry import Ellipse
from fetal_monai.data import load_datalist, read_frame
from fetal_monai.data.preparation.ellipse_label import read_ellipse_label
from fetal_monai.networks import DilatedUNet
from tests.bundles.conftest import REPOSITORY, Run, reasons
from tests.bundles.segmentation_bundle import (
    EvaluationTests,
    FormatTests,
    documented,
    flat,
    named,
    run_in,
)

pytestmark = pytest.mark.slow

BUNDLE = REPOSITORY / "bundles" / "dilated_unet"
TRAIN, EVALUATE, INFERENCE = (
    f"bundles/dilated_unet/configs/{name}.json" for name in ("train", "evaluate", "inference")
)
# A few channels, so that a checkpoint does not weigh 370 MB.
NARROW = named("--base_channels", "4", "--dilation", "[1,2]", "--spatial_size", "[64,96]")
COMMON = named("--device", "$torch.device('cpu')", "--autocast_dtype", "$None") | NARROW


def brightness_network(threshold: float) -> DilatedUNet:
    """A network whose logit is the gray value minus a threshold: it finds what is bright."""
    network = DilatedUNet(base_channels=4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for level in (network.encoders[0], network.get_submodule("decoders.4.convolutions")):
            for name in ("0.conv.weight", "1.conv.weight"):
                level.get_parameter(name)[0, 0, 1, 1] = 1
        network.classify.get_parameter("weight")[0, 0] = 1
        network.classify.get_parameter("bias").fill_(-threshold)
    return network


@pytest.fixture(scope="module")
def tiny(few_phantoms: Path) -> dict[str, str]:
    """The training overrides that the README documents, except the output folder, with small values."""
    return {
        **named("--dataset_dir", str(few_phantoms), "--bundle_root", "bundles/dilated_unet", "--seed", "4"),
        **named("--epochs", "2", "--val_interval", "1", "--batch_size", "7", "--num_workers", "0"),
        **named("--learning_rate", "0.002", "--resume", "False", "--time_limit_s", "3600", "--fold", "$None"),
        **named("--loss", "{'_target_':'DiceLoss','sigmoid':True}"),
        **COMMON,
    }


@pytest.fixture(scope="module")
def trained(tiny: dict[str, str], checkout: Path, bundle: Path, fork: Run) -> Path:
    output = bundle / "output" / "train"
    overrides = {**tiny, "--output_dir": str(output)}
    assert overrides.keys() == documented(bundle, "train")
    fork("run", "training", "--config_file", TRAIN, *flat(overrides), cwd=checkout)
    return output


@pytest.fixture(scope="module")
def weights(trained: Path) -> Path:
    return trained / "model.pt"


@pytest.fixture(scope="module")
def evaluation(bundle: Path, few_phantoms: Path, tmp_path_factory: pytest.TempPathFactory, fork: Run) -> Path:
    """Evaluated from the bundle's own folder."""
    weights = tmp_path_factory.mktemp("brightness") / "model.pt"
    torch.save(brightness_network(60).state_dict(), weights)
    output = bundle / "output" / "evaluation"
    overrides = {
        **named("--dataset_dir", str(few_phantoms), "--output_dir", str(output), "--bundle_root", "."),
        **named("--weights", str(weights), "--section", "validation", "--fold", "$None"),
        **COMMON,
    }
    assert overrides.keys() == documented(bundle, "evaluate")
    fork("run", "--config_file", "configs/evaluate.json", *flat(overrides), cwd=bundle)
    return output


class TestDilatedUNet(EvaluationTests, FormatTests):
    source = BUNDLE
    image_shape = (1, 64, 96)
    network_overrides = ("--base_channels", "4")

    def test_f1_is_that_of_the_means_and_dice_the_mean_over_the_images(
        self, summary: dict[str, float], evaluation: Path
    ) -> None:
        with (evaluation / "per_image.csv").open() as file:
            rows = [
                {name: float(row[name]) for name in ("dice", "precision", "sensitivity")}
                for row in csv.DictReader(file)
            ]
        precision, recall = (np.mean([row[name] for row in rows]) for name in ("precision", "sensitivity"))
        assert summary["f1"] == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-4)
        each = [2 * row["precision"] * row["sensitivity"] / (row["precision"] + row["sensitivity"]) for row in rows]
        assert summary["dice"] == pytest.approx(np.mean(each), rel=1e-4)
        assert summary["f1"] != pytest.approx(summary["dice"], rel=1e-6)

    def test_the_training_frames_statistics_lie_in_the_weights_and_in_mlflow(
        self, trained: Path, bundle: Path, few_phantoms: Path
    ) -> None:
        frames = [read_frame(frame["image"]).pixels.ravel() for frame in load_datalist(few_phantoms, "training")]
        pixels = np.concatenate(frames).astype(np.float64)
        state = torch.load(trained / "model.pt", weights_only=True)
        stored = [state[name].item() for name in ("intensity_mean", "intensity_std")]
        assert stored == pytest.approx([pixels.mean(), pixels.std()], rel=1e-4)
        _, tracked = run_in(trained, bundle)
        logged = [float(tracked.data.params[name]) for name in ("intensity_mean", "intensity_std")]
        assert logged == pytest.approx(stored, rel=1e-6)
        assert tracked.data.params["dilation"] == "[1, 2]"

    def test_a_resumed_training_ends_where_an_unbroken_one_does(
        self, tiny: dict[str, str], trained: Path, checkout: Path, tmp_path: Path, call: Run
    ) -> None:
        for changes in (named("--epochs", "1"), named("--resume", "True")):
            overrides = {**tiny, "--output_dir": str(tmp_path), **changes}
            call("run", "training", "--config_file", TRAIN, *flat(overrides), cwd=checkout)
        states = [torch.load(folder / "checkpoint.pt", weights_only=True)["network"] for folder in (trained, tmp_path)]
        assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())

    def test_the_plain_baseline_trains_and_its_weights_are_told_apart(
        self, tiny: dict[str, str], checkout: Path, bundle: Path, few_phantoms: Path, tmp_path: Path, call: Run
    ) -> None:
        overrides = {**tiny, "--output_dir": str(tmp_path), "--epochs": "1"}
        del overrides["--dilation"]
        configs = f"['{TRAIN}','bundles/dilated_unet/configs/baseline_unet.json']"
        call("run", "training", "--config_file", configs, *flat(overrides), cwd=checkout)
        _, tracked = run_in(tmp_path, bundle)
        assert tracked.data.params["dilation"] == "[1, 1]"
        arguments = ["--dataset_dir", str(few_phantoms), "--weights", str(tmp_path / "model.pt"), "--dilation", "[1,3]"]
        with pytest.raises(RuntimeError) as raised:
            call("run", "evaluating", "--config_file", EVALUATE, *arguments, cwd=checkout)
        assert "was trained with dilation [1, 1], and this run has [1, 3]" in reasons(raised.value)


@pytest.mark.parametrize("upright", [False, True])
def test_inference_writes_ellipse_crop_and_overlay_and_a_reason_where_there_is_no_head(
    upright: bool, checkout: Path, tmp_path: Path, fork: Run, call: Run
) -> None:
    head = Ellipse(200.0, 130.0, 90.0, 60.0, 0.4)
    frames = tmp_path / "frames" / "exam"
    frames.mkdir(parents=True)
    Image.fromarray(np.where(head.rasterise((256, 384)), np.uint8(200), np.uint8(20))).save(frames / "head.png")
    noise = np.random.default_rng(0).integers(10, 30, (256, 384), dtype=np.uint8)
    Image.fromarray(noise).save(frames / "nothing.png")
    (tmp_path / "table.csv").write_text("filename,pixel_spacing_mm\nhead.png,0.5\nnothing.png,0.5\n")
    torch.save(brightness_network(110).state_dict(), tmp_path / "model.pt")
    overrides = {
        **named("--dataset_dir", str(frames.parent), "--output_dir", str(tmp_path / "out")),
        **named("--bundle_root", "bundles/dilated_unet", "--weights", str(tmp_path / "model.pt")),
        **named("--table", str(tmp_path / "table.csv"), "--pixel_spacing_mm", "[0.5,0.5]"),
        **named("--override_pixel_spacing", "True", "--csv_format", "plain"),
        **named("--crop_margin", "0.2", "--crop_upright", str(upright)),
        **{**COMMON, "--spatial_size": "[256,384]"},
    }
    assert overrides.keys() == documented(BUNDLE, "inference")
    command = ("run", "inferring", "--config_file", INFERENCE, *flat(overrides))
    if upright:
        call(*command, cwd=checkout)
    else:
        assert "1 of 2 files failed" in fork(*command, cwd=checkout, exit_code=1)

    with (tmp_path / "out" / "measurements.csv").open() as file:
        measured, failed = csv.DictReader(file)
    assert (failed["file"], failed["status"]) == ("exam/nothing.png", "failed")
    assert "no head found" in failed["reason"]
    assert float(measured["head_circumference_mm"]) == pytest.approx(head.perimeter * 0.5, rel=0.01)
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("exam/*")}
    both = {f"masks/exam/{name}_mask.png" for name in ("head", "nothing")}
    both |= {f"overlays/exam/{name}_overlay.png" for name in ("head", "nothing")}
    assert written == both | {"crops/exam/head_crop.png", "ellipses/exam/head_png_ellipse.xml"}

    label = read_ellipse_label(tmp_path / "out" / "ellipses" / "exam" / "head_png_ellipse.xml")
    assert label.image_name == "head.png"
    assert label.pixel_spacing_mm == (0.5, 0.5)
    for name in ("center_x", "center_y", "semi_axis_a", "semi_axis_b"):
        assert getattr(label.ellipse, name) == pytest.approx(getattr(head, name), abs=0.5)
        assert float(measured[f"{name}_px"]) == pytest.approx(getattr(label.ellipse, name), rel=1e-5)
    with Image.open(tmp_path / "out" / "crops" / "exam" / "head_crop.png") as crop:
        if upright:
            assert crop.size == pytest.approx((1.4 * 180, 1.4 * 120), abs=2)
        else:
            rows, columns = np.nonzero(head.rasterise((256, 384)))
            sides = (np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert crop.size == pytest.approx([1.4 * side for side in sides], abs=3)
