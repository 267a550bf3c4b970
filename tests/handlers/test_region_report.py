from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator
from monai.transforms import Lambdad
from PIL import Image
from scipy.special import expit

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import Box
from fetal_monai.handlers import RegionReport

CLASSES = ["head", "thorax", "limbs", "background"]
NAN = [float("nan")] * 4

# Four frames by hand: right with half its box; two labels, one of which wins, without box; wrong; background.
LOGITS = [[3, 0, 0, 0], [1, 2, 0, 0], [4, 0, 1, 0], [0, 0, -1, 5]]
TARGETS = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
BOXES = [Box(0, 0, 10, 5), FailedEstimate("nothing stands out"), Box(0, 0, 4, 4), FailedEstimate("flat")]
REFERENCES = [
    [[0, 0, 10, 10], NAN, NAN, NAN],
    [[0, 0, 5, 5], [1, 1, 9, 9], NAN, NAN],
    [NAN, NAN, [0, 0, 4, 4], NAN],
    [NAN] * 4,
]


def frames() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What an evaluator knows of each frame, and what it predicts."""
    return [
        (
            {"target": torch.tensor(target), "boxes": torch.tensor(references), "frame": index},
            {
                "image": MetaTensor(torch.zeros(1), meta={"filename_or_obj": f"/a/{index}.png"}),
                "pred": torch.tensor(logits),
                "pred_box": box,
            },
        )
        for index, (logits, target, box, references) in enumerate(zip(LOGITS, TARGETS, BOXES, REFERENCES, strict=True))
    ]


def evaluate(report: RegionReport, batches: list[list[tuple[dict[str, Any], dict[str, Any]]]]) -> Engine:
    def step(engine: Engine, batch: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
        engine.state.batch = [known for known, _ in batch]
        return [predicted for _, predicted in batch]

    engine = Engine(step)
    report.attach(engine)
    engine.run(batches)
    return engine


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[RegionReport, Engine]:
    report = RegionReport(tmp_path_factory.mktemp("report"), class_names=CLASSES, facts={"section": "test"})
    evaluate(report, [frames()])  # an earlier run, to which the second must not add
    return report, evaluate(report, [frames()[:3], frames()[3:]])


def test_a_row_a_frame(evaluated: tuple[RegionReport, Engine]) -> None:
    table = rows(evaluated[0].output_dir / "per_image.csv")
    assert [row["image"] for row in table] == [f"{index}.png" for index in range(4)]
    assert [row["frame"] for row in table] == ["0", "1", "2", "3"]
    assert [row["labels"] for row in table] == ["head", "head, thorax", "limbs", "background"]
    assert [row["winner"] for row in table] == ["head", "thorax", "head", "background"]
    assert [row["right"] for row in table] == ["1", "1", "0", "1"]
    assert [row["iou"] for row in table] == ["0.5", "0", "0", ""]
    assert [table[0][edge] for edge in ("x_min", "y_min", "x_max", "y_max")] == ["0", "0", "10", "5"]
    assert [row["no_box"] for row in table] == ["", "nothing stands out", "", "flat"]
    scores = [[float(row[f"score_{name}"]) for name in CLASSES] for row in table]
    np.testing.assert_allclose(scores, expit(np.array(LOGITS)), rtol=1e-5)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["/data/a/1.png", "/data/b/1.png"], ["a/1.png", "b/1.png"]),
        (["/elsewhere/data/a/1.png", "/elsewhere/data/a/2.png"], ["1.png", "2.png"]),
        (["/data/1.png", "/data/a/1.png"], ["1.png", "a/1.png"]),
        (["data/loop.avi", "data/loop.avi"], ["loop.avi", "loop.avi"]),
    ],
)
def test_a_frame_is_called_as_below_the_folder_that_all_share(
    files: list[str], names: list[str], tmp_path: Path
) -> None:
    items = frames()[: len(files)]
    for (_, predicted), file in zip(items, files, strict=True):
        predicted["image"].meta["filename_or_obj"] = file
    evaluate(RegionReport(tmp_path, class_names=CLASSES), [items])
    assert [row["image"] for row in rows(tmp_path / "per_image.csv")] == names


def test_tables_by_class(evaluated: tuple[RegionReport, Engine]) -> None:
    folder = evaluated[0].output_dir
    accuracy = {row["class"]: row for row in rows(folder / "accuracy.csv")}
    assert [accuracy[name]["frames"] for name in CLASSES] == ["2", "1", "1", "1"]
    assert [accuracy[name]["accuracy"] for name in CLASSES] == ["1", "1", "0", "1"]
    # Head: the wrong frame comes first, the right ones second and third: (1/2 + 2/3) / 2.
    assert [accuracy[name]["average_precision"] for name in CLASSES] == ["0.583333", "1", "1", "1"]
    assert accuracy["mean of regions"]["accuracy"] == "0.666667"

    iou = {row["class"]: row for row in rows(folder / "iou.csv")}
    assert [(iou[name]["frames"], iou[name]["iou"]) for name in CLASSES] == [
        ("1", "0.5"),
        ("1", "0"),
        ("1", "0"),
        ("0", ""),
    ]
    assert iou["mean of regions"]["iou"] == "0.166667"

    confusion = {row["class"]: [row[name] for name in CLASSES] for row in rows(folder / "confusion_matrix.csv")}
    assert confusion["head"] == ["1", "0", "0", "0"]
    assert confusion["limbs"] == ["1", "0", "0", "0"]
    assert confusion["thorax"] == ["", "", "", ""]  # its only frame has two labels

    head = [row for row in rows(folder / "precision_recall.csv") if row["class"] == "head"]
    assert [(row["precision"], row["recall"]) for row in head[-4:]] == [
        ("0.666667", "1"),
        ("0.5", "0.5"),
        ("0", "0"),
        ("1", "0"),
    ]
    assert [row["threshold"] for row in head[-4:]] == [*(f"{expit(logit):.6g}" for logit in (1, 3, 4)), ""]


def test_the_summary_goes_to_the_file_and_to_the_engine(evaluated: tuple[RegionReport, Engine]) -> None:
    report, engine = evaluated
    summary = json.loads((report.output_dir / "summary.json").read_text())
    assert (summary["section"], summary["frames"]) == ("test", 4)
    assert summary["accuracy_mean"] == pytest.approx(2 / 3)
    assert summary["iou_mean"] == pytest.approx(1 / 6)
    assert summary["average_precision_mean"] == pytest.approx((7 / 12 + 2) / 3)
    assert summary["iou_background"] is None
    assert engine.state.metrics["accuracy_limbs"] == summary["accuracy_limbs"] == 0
    assert np.isnan(engine.state.metrics["iou_background"])


def test_artifacts_are_what_was_written(evaluated: tuple[RegionReport, Engine]) -> None:
    report, _ = evaluated
    assert sorted(report.artifacts) == sorted(report.output_dir.iterdir())
    for path in report.artifacts:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert min(picture.size) > 300
                assert len(np.unique(picture.convert("L"))) > 10


def test_behind_an_evaluator_of_monai(tmp_path: Path) -> None:
    """Images that are their own logits; nothing is localised and no frame comes from a loop."""
    items = [
        {
            "image": MetaTensor(torch.tensor(logits), meta={"filename_or_obj": f"{index}.png"}),
            "target": np.array(target),
        }
        for index, (logits, target) in enumerate(zip(LOGITS, TARGETS, strict=True))
    ]
    report = RegionReport(tmp_path, class_names=CLASSES)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(items), batch_size=3),
        network=torch.nn.Identity(),
        postprocessing=Lambdad("pred", lambda logits: logits.double()),
        val_handlers=[report],
    )
    evaluator.run()
    table = rows(tmp_path / "per_image.csv")
    assert [row["winner"] for row in table] == ["head", "thorax", "head", "background"]
    assert {(row["frame"], row["iou"], row["no_box"]) for row in table} == {("", "", "not localised")}
    assert evaluator.state.metrics["accuracy_mean"] == pytest.approx(2 / 3)
    assert np.isnan(evaluator.state.metrics["iou_mean"])


class TestWhatCannotBeReported:
    def report(self, tmp_path: Path, **changed: Any) -> None:
        known, predicted = frames()[0]
        evaluate(RegionReport(tmp_path, class_names=CLASSES), [[(known, {**predicted, **changed})]])

    def test_logits_of_other_classes(self, tmp_path: Path) -> None:
        with pytest.raises(
            ValueError, match=r"/a/0\.png: has 7 logits, 4 targets and 4 boxes; expected 4, one a class"
        ):
            self.report(tmp_path, pred=torch.zeros(7))

    def test_logits_that_are_no_numbers(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"/a/0\.png: the logits are \[nan, 0.0, 0.0, 0.0\]; expected finite"):
            self.report(tmp_path, pred=torch.tensor([float("nan"), 0, 0, 0]))

    def test_a_background_that_is_no_class(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"background must be one of the classes .*'nothing'"):
            RegionReport(tmp_path, class_names=CLASSES, background="nothing")
