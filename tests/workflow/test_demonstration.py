import json
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigWorkflow

from fetal_monai.workflow import check_dataset
from fetal_monai.workflow.demonstration import demonstrate

TRAIN = {
    "imports": ["$import fetal_monai"],
    "bundle_root": ".",
    "stage": "train",
    "dataset_dir": None,
    "learning_rate": 0.1,
    "epochs": 100,
    "size": "$[@epochs, @epochs]",
    "initialize": ["$fetal_monai.workflow.initialize(@bundle_root, @stage)"],
    "training": ["$fetal_monai.workflow.check_dataset(@dataset_dir)", "$(@learning_rate, @size, @dataset_dir)"],
    "run": "%training",
}
DEMONSTRATION = {"about": "2 minutes.", "dataset_dir": "$@stage + '/phantoms'", "epochs": 2, "table": "none"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    for name, content in (("metadata", {}), ("train", TRAIN), ("demonstration", DEMONSTRATION)):
        (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def run(bundle: Path, *overlays: str, **overrides: Any) -> Any:
    files = [str(bundle / "configs" / f"{name}.json") for name in ("train", *overlays)]
    workflow = ConfigWorkflow(files, logging_file=False, bundle_root=str(bundle), **overrides)
    workflow.initialize()
    return workflow.run()[-1]


def test_without_a_data_set_the_demonstration_runs(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bundle) == (0.1, [2, 2], "train/phantoms")
    assert "DEMONSTRATION" in (printed := capsys.readouterr().out)
    assert "2 minutes." in printed


def test_it_is_what_the_overlay_says(bundle: Path) -> None:
    assert run(bundle, "demonstration") == run(bundle)


def test_with_a_data_set_it_changes_nothing(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bundle, dataset_dir="mine") == (0.1, [100, 100], "mine")
    assert "DEMONSTRATION" not in capsys.readouterr().out


def test_overrides_and_overlays_win(bundle: Path) -> None:
    (bundle / "configs" / "longer.json").write_text('{"epochs": 300}')
    assert run(bundle, epochs=7, learning_rate=1) == (1, [7, 7], "train/phantoms")
    assert run(bundle, "longer") == (0.1, [300, 300], "train/phantoms")


def test_a_shared_bundle_asks_for_a_data_set(bundle: Path) -> None:
    (bundle / "configs" / "demonstration.json").unlink()
    with pytest.raises(RuntimeError) as raised:
        run(bundle)
    assert "No data set given. Set --dataset_dir" in str(raised.value.__cause__)
    assert run(bundle, dataset_dir="mine") == (0.1, [100, 100], "mine")


def test_outside_of_a_bundle_run_nothing_happens(bundle: Path) -> None:
    demonstrate(bundle, "train")
    check_dataset(bundle)
