import csv
import json
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from fetal_monai.handlers import EvaluationReport


@pytest.fixture
def engine() -> Engine:
    """An evaluator of three images in two batches, one value of one metric missing."""
    engine = Engine(
        lambda _, batch: [{"image": MetaTensor(torch.zeros(1), meta={"filename_or_obj": name})} for name in batch]
    )
    engine.state.metrics = {"dice": 0.95, "hc_mm": 1.5}
    engine.state.metric_details = {
        "dice": torch.tensor([[0.9], [0.95], [1.0]]),
        "hc_mm": torch.tensor([[1.0], [float("nan")], [2.0]]),
    }
    return engine


def test_one_row_an_image_and_a_gap_where_there_is_no_value(engine: Engine, tmp_path: Path) -> None:
    EvaluationReport(tmp_path).attach(engine)
    engine.run([["/a/1.png", "/a/2.png"], ["/a/3.png"]])
    rows = list(csv.DictReader((tmp_path / "per_image.csv").open()))
    assert [row["image"] for row in rows] == ["1.png", "2.png", "3.png"]
    assert [row["dice"] for row in rows] == ["0.9", "0.95", "1"]
    assert [row["hc_mm"] for row in rows] == ["1", "", "2"]


def test_the_summary_is_written_and_printed(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    EvaluationReport(tmp_path, facts={"section": "test"}).attach(engine)
    engine.run([["1.png", "2.png"], ["3.png"]])
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "section": "test",
        "images": 3,
        "dice": 0.95,
        "hc_mm": 1.5,
    }
    printed = capsys.readouterr().out
    assert "section  test" in printed
    assert "dice     0.9500" in printed


def test_a_second_run_does_not_add_to_the_first(engine: Engine, tmp_path: Path) -> None:
    EvaluationReport(tmp_path).attach(engine)
    for _ in range(2):
        engine.run([["1.png", "2.png"], ["3.png"]])
    assert len((tmp_path / "per_image.csv").read_text().splitlines()) == 4
