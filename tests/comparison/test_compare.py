import csv
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from PIL import Image

from fetal_monai.biometry import Ellipse
from fetal_monai.comparison.__main__ import main
from fetal_monai.comparison.comparable import check_comparable
from fetal_monai.comparison.compare import compare
from fetal_monai.comparison.errors import ComparisonError
from fetal_monai.comparison.frames_figure import MISSING, RIGHT, TOO_MUCH, differences, spread
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.store import Store
from fetal_monai.data import fingerprint
from fetal_monai.tracking import EXPERIMENT
from tests.comparison.conftest import FRAMES, Recorder, evaluation

ADVERSARIAL: dict[str, Any] = {"discriminator": "FullyConvolutionalDiscriminator"}
PLAIN_DICE = ([0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.40], [0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98])
GAN_DICE = [0.95, 0.96, 0.97, 0.98, 0.97, 0.96, 0.95, 0.94]


@pytest.fixture
def data_dir(checkout: Path) -> Path:
    """A prepared data set of the evaluated frames, with masks where the recorder reads them."""
    data, masks = checkout / "data", checkout / "masks"
    data.mkdir()
    head = Ellipse(30.0, 20.0, 15.0, 10.0, 0.0)
    for name in FRAMES:
        Image.fromarray(head.rasterise((40, 60)).astype(np.uint8) * 255).save(data / f"label_{name}")
        Image.fromarray(np.full((40, 60), 90, np.uint8)).save(data / name)
        Image.fromarray(np.full((40, 60), 255, np.uint8)).save(masks / name.replace(".png", "_mask.png"))
    frames = [{"image": name, "label": f"label_{name}", "exam": name, "pixel_spacing_mm": [1, 1]} for name in FRAMES]
    (data / "datalist.json").write_text(json.dumps({"training": [], "validation": [], "test": frames}))
    return data


class Page(HTMLParser):
    """Record what a browser would load, and the text of the tables' cells."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "background", "action", "style"):
                self.loaded.append(value or "")
            elif name in ("href", "xlink:href"):
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "td" and self.cells:
            self.cells[-1] += data.strip()


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_whole_way_from_tracked_runs_to_a_page(recorder: Recorder, data_dir: Path, tmp_path: Path) -> None:
    known: dict[str, Any] = {"data_fingerprint": fingerprint(data_dir)}
    for seed, dice in enumerate(PLAIN_DICE):
        recorder.evaluate(recorder.train(seed, **known), dice, **known)
    recorder.evaluate(recorder.train(0, **ADVERSARIAL, **known), GAN_DICE, **known)
    hostile = recorder.train(0, network="<script>alert(1)</script>|", **known)
    recorder.evaluate(hostile, GAN_DICE, network="<script>alert(1)</script>|", **known)
    out = tmp_path / "out"

    page = compare(recorder.uri, out, **known, data_dir=data_dir, frames=3)

    methods = {row["method"]: row for row in rows_of(out / "methods.csv")}
    assert list(methods)[:2] == ["DeepLab-v2", "DeepLab-v2 + discriminator"]
    plain = methods["DeepLab-v2"]
    assert plain["runs"] == "2"
    assert float(plain["dice"]) == pytest.approx(np.mean([np.mean(dice) for dice in PLAIN_DICE]))
    assert float(plain["dice_sd"]) == pytest.approx(np.std([np.mean(dice) for dice in PLAIN_DICE], ddof=1))
    assert (float(plain["parameters"]), float(plain["gmacs"])) == (2e6, 3.5)
    paper = [(row["method"], row["source"], float(row["jaccard"])) for row in rows_of(out / "paper_gan.csv")[:2]]
    assert paper == [("DeepLab-v2", "paper", 0.91), ("DeepLab-v2", "ours", float(plain["jaccard"]))]
    assert not (out / "paper_bisenet.csv").exists()
    (pair,) = [
        row
        for row in rows_of(out / "paired.csv")
        if row["metric"] == "dice" and (row["first"], row["second"]) == tuple(list(methods)[:2])
    ]
    assert float(pair["mean_difference"]) == pytest.approx(np.mean(np.mean(PLAIN_DICE, axis=0) - GAN_DICE))
    runs = rows_of(out / "runs.csv")
    assert {run["seed"] for run in runs} == {"0", "1"}
    assert all(run["training"].startswith("gan_deeplab-train-") and run["epochs"] == "2" for run in runs)

    seen = read_page(page)
    assert len(seen.loaded) == seen.tags.count("img") == 3  # frames, Bland-Altman, training curves
    assert all(re.match(r"data:image/(png|svg\+xml);base64,", source) for source in seen.loaded)
    assert {link.removeprefix("#") for link in seen.links} == set(seen.ids)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert "<script>alert(1)</script>|" in " ".join(seen.cells)
    assert not re.search(r"url\(|@import", page.read_text())

    text = (out / "comparison.md").read_text()
    for path in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (out / path).is_file()
    table = text.split("## All methods")[1].split("\n\n")[2].splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1

    style = page.read_text().split("<style>")[1].split("</style>")[0]
    printed = style.split("@media print {")[1]
    assert "overflow: visible" in printed and "white-space: normal" in printed  # else columns are cut off
    colours = [re.findall(r"(--\w+): #", block) for block in style.split(":root {")[1:]]
    assert len(colours) == 2 and colours[0] == colours[1]  # a dark one for each light one
    assert not re.search(r"#[0-9a-f]{3,6}", re.sub(r":root \{[^}]*\}", "", style))

    for kind, folder, suffix in (("*.csv", out, ".tex"), ("*.png", out / "figures", ".pdf")):
        names = {path.stem for path in folder.glob(kind)}
        assert names and names == {path.stem for path in (out / "latex").glob(f"*{suffix}")}
    assert all(path.read_bytes().startswith(b"%PDF") for path in (out / "latex").glob("*.pdf"))

    client = mlflow.MlflowClient(recorder.uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    (logged,) = client.search_runs([experiment.experiment_id], "tags.stage = 'comparison'")
    assert logged.info.status == "FINISHED"
    assert (logged.data.params["section"], logged.data.params["methods"]) == ("test", "3")
    assert logged.data.params["data_fingerprint"] == known["data_fingerprint"]
    artifacts = {artifact.path for artifact in client.list_artifacts(logged.info.run_id)}
    assert artifacts >= {"comparison.html", "comparison.md", "methods.csv", "paired.csv", "figures", "latex"}

    # A comparison is not an evaluation: a second one finds the same runs, and writes the same page.
    before = page.read_bytes()
    assert compare(recorder.uri, out, **known, data_dir=data_dir, frames=3).read_bytes() == before

    with pytest.raises(ComparisonError, match=r"has the data fingerprint .* were evaluated on"):
        (data_dir / FRAMES[0]).write_bytes((data_dir / f"label_{FRAMES[0]}").read_bytes())
        compare(recorder.uri, out, **known, data_dir=data_dir)


def test_which_runs_are_read(recorder: Recorder) -> None:
    weights = recorder.train(0)
    first = recorder.evaluate(weights, GAN_DICE)
    other_section = recorder.evaluate(weights, GAN_DICE, section="validation")
    foreign = recorder.evaluate(recorder.train(0, data_fingerprint="bbbb"), GAN_DICE, data_fingerprint="bbbb")
    training = (weights.parent / "mlflow_run.txt").read_text()
    store = Store(recorder.uri)

    def read(*names: str, **wanted: str) -> list[str]:
        return [each.name for each in store.evaluations({"section": "test", **wanted}, names)]

    assert {first, foreign} <= set(read())
    assert read(data_fingerprint="aaaa") == [first]
    assert read(first) == [first]
    assert read(training, section="validation") == [other_section]
    (evaluation,) = store.evaluations({"section": "test"}, [training])
    assert evaluation.training is not None
    assert (evaluation.training.name, evaluation.training.epochs, evaluation.seed) == (training, 2, "0")
    assert evaluation.training.histories["val_mean_dice"] == {1: pytest.approx(0.9), 2: pytest.approx(0.8)}
    with pytest.raises(ComparisonError, match=f"{other_section} was evaluated with section = validation.* = test"):
        read(first, other_section)
    with pytest.raises(ComparisonError, match=f"has no finished evaluation named 'nobody'.*{first}"):
        read("nobody")
    with pytest.raises(ComparisonError, match=r"no finished evaluation with section = training.*--store"):
        read(section="training")
    with pytest.raises(ComparisonError, match=f"{foreign} was evaluated on the data bbbb, {first} aaaa"):
        check_comparable(store.evaluations({"section": "test"}, [first, foreign]))


def test_the_command_says_what_is_wrong(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.evaluate(recorder.train(0), GAN_DICE)
    command = ["comparison", "--output_dir", str(tmp_path), "--store", recorder.uri, "--section", "training"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "has no finished evaluation with section = training" in capsys.readouterr().err


def test_frames_are_spread_from_the_worst_to_the_best() -> None:
    dice = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.5]
    methods = [Method("A", (evaluation(dice),)), Method("B", (evaluation(dice),))]
    assert spread(methods, 3) == [FRAMES[1], FRAMES[6], FRAMES[0]]
    assert sorted(spread(methods, 99)) == FRAMES


def test_pixels_are_coloured_by_agreement() -> None:
    mask, label = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])
    assert [tuple(pixel) for pixel in differences(mask, label)[0]] == [RIGHT, TOO_MUCH, MISSING, (0, 0, 0)]


@pytest.mark.slow
def test_regions_over_the_folds_beside_the_paper(recorder: Recorder, tmp_path: Path) -> None:
    right, wrong = ["head", "limbs", "limbs", "background"], ["limbs", "limbs", "head", "background"]
    for polar, winners, likelihood in ((True, right, -0.2), (False, wrong, -0.4)):
        for fold in range(2):
            weights = recorder.train_regions("resnet18", fold, likelihood, polar=polar, training_frames=60 + fold)
            recorder.evaluate_regions(weights, "resnet18", fold, winners if fold else right, polar=polar)
    of_regions: dict[str, Any] = {"data_fingerprint": "cccc"}

    page = compare(recorder.uri, tmp_path / "all", **of_regions)

    rows = {row["method"]: row for row in rows_of(tmp_path / "all" / "methods.csv")}
    plain = "Soft proposal, ResNet-18 (polar False)"
    assert rows.keys() == {plain, "Soft proposal, ResNet-18 (polar True)"}
    assert (rows[plain]["runs"], rows[plain]["frames"]) == ("2", "8")
    assert float(rows[plain]["accuracy_mean"]) == pytest.approx(0.75)
    assert float(rows[plain]["accuracy_mean_sd"]) == pytest.approx(np.std([1, 0.5], ddof=1))
    assert float(rows[plain]["ms_per_frame"]) == 4
    assert "dice" not in rows[plain]
    text = (tmp_path / "all" / "comparison.md").read_text()
    assert "ours, 2 folds" in text
    assert "0.750 ± 0.354" in text  # the paper's column of the head
    (pair,) = [row for row in rows_of(tmp_path / "all" / "paired.csv") if row["metric"] == "right"]
    assert (pair["frames"], float(pair["mean_difference"])) == ("8", -0.25)
    assert pair["common_runs"] == "fold 0, seed 0; fold 1, seed 0"
    assert {run["fold"] for run in rows_of(tmp_path / "all" / "runs.csv")} == {"0", "1"}
    figures = {path.stem for path in (tmp_path / "all" / "figures").iterdir()}
    assert figures == {"precision_recall", "confusion_matrices", "training_curves"}
    assert len(read_page(page).loaded) == 3

    compare(recorder.uri, tmp_path / "best", **of_regions, best=True)
    (best,) = rows_of(tmp_path / "best" / "methods.csv")
    assert (best["method"], float(best["accuracy_mean"])) == ("Soft proposal, ResNet-18", 1)

    recorder.evaluate_regions(recorder.train_regions("vgg13_bn", 0), "vgg13_bn", 0, right)
    with pytest.raises(ComparisonError, match=r"ResNet-18 .* in fold 0, fold 1, Soft proposal, VGG-13-BN in fold 0:"):
        compare(recorder.uri, tmp_path / "refused", **of_regions)


def test_frames_of_a_loop_are_told_apart(recorder: Recorder) -> None:
    weights = recorder.train_regions("resnet34", 0)
    name = recorder.evaluate_regions(weights, "resnet34", 0, ["head"] * 4, loop=True)
    (evaluation,) = Store(recorder.uri).evaluations({"section": "test"}, [name])
    assert list(evaluation.per_image.index) == [f"loop.avi {index}" for index in range(4)]
