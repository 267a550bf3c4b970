from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigWorkflow

from fetal_monai.weights.settings import settings_file, write_settings

IMPORTS = ["$import fetal_monai", "$import torch"]
NETWORK = {"_target_": "torch.nn.Linear", "in_features": "@width", "out_features": 1}
TRAIN = {"best_network": {"settings": {"options": {"size": "@size", "width": "@width"}}}}
EVALUATE = {
    "imports": IMPORTS,
    "bundle_root": ".",
    "stage": "evaluate",
    "dataset_dir": None,
    "demonstration": False,
    "weights": "$@bundle_root + '/model.pt'",
    "size": [256, 384],
    "width": 4,
    "network_def": NETWORK,
    "network": "$fetal_monai.weights.load_weights(@network_def, @weights)",
    "initialize": [
        "$fetal_monai.workflow.initialize(@bundle_root, @stage)",
        "$fetal_monai.workflow.use_trained_settings(@bundle_root, @stage, @weights)",
    ],
    "evaluating": ["$(@size, @network.in_features)"],
    "run": "%evaluating",
}
DEMONSTRATION = {"about": "2 minutes.", "demonstration": True, "dataset_dir": "phantoms", "size": [64, 64]}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with weights that were trained with another size and width than its configs' own."""
    (tmp_path / "configs").mkdir()
    configs: dict[str, Any] = {"metadata": {"bundle": "mine"}, "train": TRAIN, "evaluate": EVALUATE}
    for name, content in (configs | {"demonstration": DEMONSTRATION, "large": {"size": [512, 512]}}).items():
        (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(content))
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "model.pt")
    settings = {"bundle": "mine", "network": "Linear", "options": {"size": [128, 192], "width": 2}}
    write_settings(tmp_path / "model.pt", settings)
    return tmp_path


def run(bundle: Path, *overlays: str, **overrides: Any) -> Any:
    files = [str(bundle / "configs" / f"{name}.json") for name in ("evaluate", *overlays)]
    workflow = ConfigWorkflow(files, logging_file=False, bundle_root=str(bundle), **overrides)
    workflow.initialize()
    return workflow.run()[-1]


def refusal(bundle: Path, *overlays: str, **overrides: Any) -> str:
    with pytest.raises(RuntimeError) as raised:
        run(bundle, *overlays, **overrides)
    return str(raised.value.__cause__)


@pytest.mark.parametrize("dataset_dir", ["frames", None])
def test_the_options_of_the_training_are_used(
    bundle: Path, dataset_dir: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a demonstration too, whose overlay is no override of the caller's."""
    assert run(bundle, dataset_dir=dataset_dir) == ([128, 192], 2)
    assert f"As {bundle}/model.pt was trained: size [128, 192], width 2" in capsys.readouterr().out


def test_an_override_that_says_the_same_changes_nothing(bundle: Path) -> None:
    assert run(bundle, dataset_dir="frames", size=[128, 192]) == ([128, 192], 2)


@pytest.mark.parametrize("overlays", [(), ("large",)])
def test_another_value_is_refused_with_both(bundle: Path, overlays: tuple[str, ...]) -> None:
    overrides = {} if overlays else {"size": [512, 512]}
    assert refusal(bundle, *overlays, dataset_dir="frames", **overrides) == (
        f"{bundle}/model.pt was trained with size [128, 192], and this run has [512, 512]. Leave out --size or the "
        "overlay that sets it, or name other weights with --weights."
    )


def test_weights_of_another_bundle_are_refused(bundle: Path) -> None:
    """Their tensors may well fit, and the frames be prepared in another way."""
    write_settings(bundle / "model.pt", {"bundle": "theirs", "network": "Linear", "options": {"width": 2}})
    assert refusal(bundle, dataset_dir="frames").startswith(
        f"{bundle}/model.pt was trained by the bundle theirs, and this is mine"
    )


def test_weights_without_settings_are_taken_as_they_are(bundle: Path) -> None:
    settings_file(bundle / "model.pt").unlink()
    assert run(bundle, dataset_dir="frames", width=2) == ([256, 384], 2)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("weights", "elsewhere.pt", id="no option of the training"),
        pytest.param("size", "$open('ran', 'w')", id="an expression"),
        pytest.param("size", ["@weights"], id="a reference"),
        pytest.param("size", {"_target_": "os.getcwd"}, id="a component"),
    ],
)
def test_nothing_but_values_of_options_is_taken_from_the_file(bundle: Path, option: str, value: object) -> None:
    write_settings(bundle / "model.pt", {"bundle": "mine", "network": "Linear", "options": {option: value}})
    assert f"{option} = {value!r}, which is no option of mine" in refusal(bundle, dataset_dir="frames")


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"bundle": "mine", "network": "Linear", "options": 3}'])
def test_a_damaged_file_is_named(bundle: Path, text: str) -> None:
    settings_file(bundle / "model.pt").write_text(text)
    assert "model.pt.settings.txt does not say what model.pt was trained with" in refusal(bundle, dataset_dir="frames")
