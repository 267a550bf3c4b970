import json
from pathlib import Path
from typing import Any

import monai.bundle
import pytest

from fetal_monai.workflow import UnknownOverrideError, check_overrides

TRAIN: dict[str, Any] = {
    "imports": ["$import fetal_monai", "$import pathlib"],
    "bundle_root": ".",
    "learning_rate": 0.1,
    "depth": 50,
    "network": {"_target_": "builtins.dict", "depth": "@depth"},
    "train": {
        "dataset": {"_target_": "builtins.dict"},
        "rate": "@learning_rate",
        "handlers": [],
        "trainer": {"_target_": "builtins.dict", "handlers": "@train#handlers"},
    },
    "training": [
        "$fetal_monai.workflow.check_overrides(@bundle_root, 'train')",
        "$pathlib.Path(@bundle_root + '/trained').write_text(str([@train#rate, @train#dataset, @network]))",
    ],
    "run": "%training",
}
EVALUATE = {**TRAIN, "epochs": 3, "section": "test", "dept": 1}
# Of no use to the evaluation, as an overlay for all configs may be; and without the one that refers to the depth.
OVERLAY = {"network": None, "train#augment": True, "momentum": 0.9}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    files = {"metadata": {"bundle": "toy"}, "train": TRAIN, "evaluate": EVALUATE, "overlay": OVERLAY}
    for name, content in files.items():
        (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def train(bundle: Path, *overlays: Path, **overrides: Any) -> str:
    """Run as the command line does; return what was trained."""
    files = [str(path) for path in (bundle / "configs" / "train.json", *overlays)]
    monai.bundle.run("training", config_file=files, bundle_root=str(bundle), **overrides)
    return (bundle / "trained").read_text()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"lerning_rate": 1}, r"does not have --lerning_rate \(did you mean --learning_rate\?\)\."),
        ({"train#datset": 1}, r"does not have --train#datset \(did you mean --train#dataset"),
        ({"train::rte": 1}, r"does not have --train#rte \(did you mean --train#rate\?\)\."),
        ({"zzz": 1}, r"does not have --zzz\. The bundle's docs/README\.md"),
        ({"epochs": 1}, r"does not have --epochs \(an entry of evaluate\.json\)\. The bundle's"),
        ({"dept": 1}, r"--dept \(an entry of evaluate\.json\)\."),  # and not: did you mean --depth
        ({"lerning_rate": 1, "dpeth": 1}, "--lerning_rate .*; --dpeth "),
    ],
)
def test_what_is_misspelt_costs_no_work(bundle: Path, override: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError) as raised:
        train(bundle, **override)
    assert isinstance(raised.value.__cause__, UnknownOverrideError)
    assert raised.match("check_overrides")
    with pytest.raises(UnknownOverrideError, match=message):
        raise raised.value.__cause__
    assert not (bundle / "trained").exists()


def test_the_zoos_evaluation_merges_both_configs(bundle: Path) -> None:
    run = [line.replace("'train'", "'evaluate'") for line in TRAIN["training"]]
    for name, own in {
        "train": {**TRAIN, "optimizer": None, "train": {**TRAIN["train"], "sampler": None}},
        "evaluate": {**EVALUATE, "training": run},
    }.items():
        (bundle / "configs" / f"{name}.json").write_text(json.dumps(own))
    evaluate = bundle / "configs" / "evaluate.json"
    assert train(bundle, evaluate, learning_rate=3) == "[3, {}, {'depth': 50}]"
    with pytest.raises(RuntimeError) as raised:
        train(bundle, evaluate, epoch=1)
    assert "evaluate.json does not have --epoch (did you mean --epochs" in str(raised.value.__cause__)


def test_a_config_in_yaml(bundle: Path) -> None:
    (bundle / "configs" / "train.json").rename(bundle / "configs" / "train.yaml")  # JSON is YAML
    arguments = {"config_file": str(bundle / "configs" / "train.yaml"), "bundle_root": str(bundle)}
    monai.bundle.run("training", **arguments, learning_rate=7)
    assert (bundle / "trained").read_text() == "[7, {}, {'depth': 50}]"
    with pytest.raises(RuntimeError) as raised:
        monai.bundle.run("training", **arguments, lerning_rate=7)
    assert "train.yaml does not have --lerning_rate" in str(raised.value.__cause__)


def test_what_an_arguments_file_misspells(bundle: Path) -> None:
    arguments = {"config_file": str(bundle / "configs" / "train.json"), "bundle_root": str(bundle), "learningrate": 1}
    (bundle / "arguments.json").write_text(json.dumps(arguments))
    with pytest.raises(RuntimeError) as raised:
        monai.bundle.run("training", args_file=str(bundle / "arguments.json"))
    assert "--learningrate (did you mean --learning_rate?)" in str(raised.value.__cause__)


def test_overrides_pass(bundle: Path) -> None:
    assert train(bundle, learning_rate=5, **{"train#dataset#a": 1}) == "[5, {'a': 1}, {'depth': 50}]"


def test_overlays_pass_and_what_they_leave_unused(bundle: Path) -> None:
    assert train(bundle, bundle / "configs" / "overlay.json", depth=18) == "[0.1, {}, None]"


@pytest.mark.parametrize(
    ("overlay", "refused"),
    [({"rate": 2, "train": {"dataset": None, "rate": "@rate"}}, False), ({"rate": 2, "trian": {"rate": 3}}, True)],
)
def test_own_entries_must_be_referred_to(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, overlay: dict[str, Any], refused: bool
) -> None:
    path = tmp_path_factory.mktemp("own") / "overlay.json"
    path.write_text(json.dumps(overlay))
    if refused:
        with pytest.raises(RuntimeError) as raised:
            train(bundle, path)
        assert "does not have --rate; --trian" in str(raised.value.__cause__).replace(" (did you mean --train?)", "")
    else:
        assert train(bundle, path) == "[2, None, {'depth': 50}]"


def test_monais_own_tracking_passes(bundle: Path) -> None:
    train(bundle, tracking="mlflow", output_dir=str(bundle / "out"))


def test_outside_of_a_bundle_run_there_is_nothing_to_check(bundle: Path) -> None:
    check_overrides(bundle, "train")
    with pytest.raises(FileNotFoundError, match="is not a bundle"):
        check_overrides(bundle / "nowhere", "train")


def test_a_broken_overlay_that_is_not_used_stops_nothing(bundle: Path) -> None:
    (bundle / "configs" / "broken.json").write_text('{"depth": ')
    assert "0.2" in train(bundle, learning_rate=0.2)
