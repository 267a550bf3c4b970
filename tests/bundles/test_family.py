"""Consistency of the bundles: whatever they share is the same in all of them."""

import copy
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from monai.bundle import ConfigParser
from monai.bundle.utils import merge_kv
from monai.data import MetaTensor
from monai.transforms import Compose, SaveImaged
from packaging.requirements import Requirement

from fetal_monai.biometry import Ellipse, HeadMeasurement
from fetal_monai.comparison.measures import ALL_METHODS
from fetal_monai.comparison.papers import load_papers
from fetal_monai.failed_estimate import FailedEstimate
from tests.bundles.conftest import REPOSITORY
from tests.bundles.segmentation_bundle import documented
from tests.frame_files import asymmetric_picture, write_picture
from tests.test_packaging import settings

NAMES = sorted(path.parent.parent.name for path in (REPOSITORY / "bundles").glob("*/configs/metadata.json"))
STAGES = {"train": "training", "evaluate": "evaluating", "inference": "inferring"}

# Entries that define a method may differ between bundles; all other entries of one name are the same.
METHOD = {
    "train": {
        *("epochs", "batch_size", "learning_rate", "spatial_size", "network_def", "network", "complexity", "loss"),
        *("checkpoint", "run_parameters", "best_network"),
        *("optimizer", "lr_scheduler", "train#deterministic_transforms", "train#to_network", "train#preprocessing"),
        *("train#dataloader", "train#handlers", "train#trainer", "validate#preprocessing", "training"),
        "validate#postprocessing",
    },
    "evaluate": {"imports", "spatial_size", "network_def", "complexity", "preprocessing", "postprocessing"},
    "inference": {"spatial_size", "network_def", "complexity", "preprocessing", "postprocessing"},
    "demonstration": {"epochs", "batch_size", "learning_rate", "spatial_size", "about"},
    "multi_gpu_train": {"network"},
    "metadata": {
        *("name", "task", "description", "data_source", "image_classes", "label_classes", "pred_classes", "references"),
        *("changelog", "network_data_format", "eval_metrics"),
    },
}
# Entries that define a task are the same in all bundles for segmentation.
TASK = {
    "train": {
        *("fold", "best_network", "train#random_transforms", "train#dataset", "validate#dataset"),
        *("validate#key_metric", "validate#handlers", "validate#evaluator"),
    },
    "evaluate": {"fold", "dataset", "inferer", "handlers", "evaluator"},
    "inference": {"dataset", "inferer", "handlers", "finalize"},
    "demonstration": {"dataset_dir", "source"},
    "multi_gpu_train": {
        *("train#sampler", "train#dataloader#sampler", "train#dataloader#shuffle", "validate#sampler"),
    },
    "metadata": {"data_source", "intended_use"},
}
# Transforms that read, copy or pass on data, and do not change the network's input.
CARRYING = {"LoadImaged", "EnsureTyped", "CopyItemsd", "SelectItemsd"}
WRITING = {"RunTracker", "ProgressBar", "StatsHandler", "SampleOverlays"}
# Set by an overlay, not by the user.
SWITCHES = {"adversarial", "demonstration", "is_not_rank0"}


@cache
def load(name: str, config: str) -> dict[str, Any]:
    """A config, with NAME for the bundle's own name."""
    text = (REPOSITORY / "bundles" / name / "configs" / f"{config}.json").read_text()
    return json.loads(re.sub(rf"\b{name}\b", "NAME", text))


def entries(config: dict[str, Any]) -> dict[str, Any]:
    """The config's keys, and `section#key` of its plain sections."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        is_section = isinstance(value, dict) and "_target_" not in value
        flat |= {f"{key}#{child}": each for child, each in value.items()} if is_section else {key: value}
    return flat


def segmentation_bundles() -> list[str]:
    outputs = {name: load(name, "metadata")["network_data_format"]["outputs"]["pred"] for name in NAMES}
    return [name for name in NAMES if outputs[name]["format"] == "segmentation"]


def differing(names: list[str], config: str, but_for: set[str]) -> dict[str, dict[str, Any]]:
    """Entries of one name that differ between the bundles that have them."""
    by_entry: dict[str, dict[str, Any]] = {}
    for name in names:
        for entry, value in entries(load(name, config)).items():
            by_entry.setdefault(entry, {})[name] = value
    return {
        entry: values
        for entry, values in by_entry.items()
        if not {entry, entry.split("#")[0]} & but_for
        and any(value != next(iter(values.values())) for value in values.values())
    }


def handlers(config: dict[str, Any], engine: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for handler in config[engine]["handlers"]:
        if isinstance(handler, dict):
            yield handler["_target_"].split(".")[-1], handler


def resolved(config: dict[str, Any], value: Any) -> Any:
    """The top-level entry that a value refers to, or the value if it is no such reference."""
    return config[value[1:]] if isinstance(value, str) else value


def metrics(evaluate: dict[str, Any]) -> set[str]:
    return set(evaluate["key_metric"]) | set(evaluate["additional_metrics"])


def of_the_image(transforms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The transforms of the image, from a list of transforms of image and label."""
    done = []
    for transform in transforms:
        keys = transform["keys"]
        if transform["_target_"] in CARRYING or "image" not in keys:
            continue
        own = {name: value for name, value in transform.items() if name not in ("keys", "once_a_file")}
        if isinstance(keys, list):
            own = {
                name: value[keys.index("image")] if isinstance(value, list) and len(value) == len(keys) else value
                for name, value in own.items()
            }
        done.append(own)
    return done


class TestAllBundles:
    def test_there_are_bundles_for_more_than_one_task(self) -> None:
        assert len(NAMES) >= 5
        assert 4 <= len(segmentation_bundles()) < len(NAMES)

    @pytest.mark.parametrize("config", METHOD)
    def test_whatever_makes_no_method_is_the_same(self, config: str) -> None:
        assert differing(NAMES, config, METHOD[config] | TASK[config]) == {}
        assert differing(segmentation_bundles(), config, METHOD[config]) == {}

    def test_all_log_the_same(self) -> None:
        assert len({(REPOSITORY / "bundles" / name / "configs" / "logging.conf").read_text() for name in NAMES}) == 1

    def test_handlers_are_the_same_but_for_what_they_are_handed(self) -> None:
        handed = {
            "TrainingState": {"objects", "settings"},
            "RunTracker": {"parameters", "artifacts"},
            "StopOnNonFinite": {"networks"},
            "LrScheduleHandler": {"epoch_level"},  # by epoch by default
        }
        seen: dict[str, dict[str, Any]] = {}
        for name in NAMES:
            present = {
                target: {k: v for k, v in handler.items() if k not in handed.get(target, ())}
                for target, handler in handlers(load(name, "train"), "train")
                if handler.get("lr_scheduler") != "@discriminator_lr_scheduler"
            }
            assert {"ValidationHandler", "TrainingState", "RunTracker", "StopOnNonFinite"} <= present.keys(), name
            for target, handler in present.items():
                assert seen.setdefault(target, handler) == handler, (name, target)

    def test_a_training_is_resumed_with_the_settings_that_it_was_tracked_with(self) -> None:
        for name in NAMES:
            by_class = dict(handlers(load(name, "train"), "train"))
            assert by_class["TrainingState"]["settings"] == by_class["RunTracker"]["parameters"] == "@run_parameters"

    def test_what_runs_are_told_apart_by_has_one_name_and_one_meaning(self) -> None:
        own = {"loss", "training_frames"}
        meanings: dict[str, Any] = {}
        for name in NAMES:
            for parameter, value in load(name, "train")["run_parameters"].items():
                assert parameter in own or meanings.setdefault(parameter, value) == value, (name, parameter)

    def test_segmentations_are_compared_by_the_same_metrics(self) -> None:
        compared = [
            {measure.key for measure in ALL_METHODS} & metrics(load(b, "evaluate")) for b in segmentation_bundles()
        ]
        assert len(compared[0]) >= 10
        assert all(names == compared[0] for names in compared)

    def test_pins_are_within_the_projects_ranges(self) -> None:
        ranges = {each.name: each.specifier for each in map(Requirement, settings()["project"]["dependencies"])}
        for name in NAMES:
            metadata = load(name, "metadata")
            pins = {**metadata["required_packages_version"], "monai": metadata["monai_version"]}
            pins |= {"torch": metadata["pytorch_version"], "numpy": metadata["numpy_version"]}
            assert {pin for pin, version in pins.items() if version not in ranges[pin]} == set(), name


@pytest.mark.parametrize("name", NAMES)
class TestEachBundle:
    def test_it_says_its_own_name(self, name: str) -> None:
        text = (REPOSITORY / "bundles" / name / "configs" / "metadata.json").read_text()
        assert json.loads(text)["bundle"] == name
        others = "|".join(other for other in NAMES if other != name)
        for config in STAGES:
            text = (REPOSITORY / "bundles" / name / "configs" / f"{config}.json").read_text()
            assert re.findall(rf"bundles/(?:{others})\b", text) == []

    def test_version_is_in_the_changelog(self, name: str) -> None:
        metadata = load(name, "metadata")
        assert metadata["version"] in metadata["changelog"]

    def test_metadata_says_that_the_output_is_logits(self, name: str) -> None:
        metadata = load(name, "metadata")
        assert "logits" in metadata["pred_classes"]
        assert metadata["network_data_format"]["outputs"]["pred"]["type"] in ("image", "logits")

    def test_misspelt_overrides_are_looked_for_before_anything_else(self, name: str) -> None:
        for config, run_id in STAGES.items():
            assert load(name, config)["stage"] == config
            assert load(name, config)[run_id][:2] == [
                "$fetal_monai.workflow.check_overrides(@bundle_root, @stage)",
                "$fetal_monai.workflow.check_dataset(@dataset_dir)",
            ]
            assert load(name, config)["run"] == f"%{run_id}"

    def test_overlays_pass_and_misspelt_overrides_do_not(self, name: str) -> None:
        folder = REPOSITORY / "bundles" / name / "configs"
        overlays = {path.stem for path in folder.glob("*.json")} - STAGES.keys() - {"metadata"}
        assert "multi_gpu_train" in overlays
        for config, run_id in STAGES.items():
            for_all = [o for o in overlays if not any(key.startswith("train#") for key in load(name, o))]
            for overlay in overlays if config == "train" else for_all:
                parser = ConfigParser()
                parser.read_config([folder / f"{config}.json", folder / f"{overlay}.json"])
                parser["bundle_root"] = str(folder.parent)
                parser.get_parsed_content(f"{run_id}::0")
            parser = ConfigParser()
            parser.read_config(folder / f"{config}.json")
            parser.update({"bundle_root": str(folder.parent), "wieghts": None})
            with pytest.raises(RuntimeError) as raised:
                parser.get_parsed_content(f"{run_id}::0")
            assert "does not have --wieghts" in str(raised.value.__cause__)

    def test_training_evaluation_and_inference_have_one_network_and_one_default(self, name: str) -> None:
        configs = [load(name, config) for config in STAGES]
        common = set.intersection(*(documented(REPOSITORY / "bundles" / name, config) for config in STAGES))
        # Each stage has its own output folder, and only training selects the fastest number format.
        common -= {"--output_dir", "--autocast_dtype"}
        for key in ("network_def", "complexity", *(option.removeprefix("--") for option in common)):
            assert configs[0][key] == configs[1][key] == configs[2][key], key

    def test_what_the_network_needs_is_saved_with_its_weights(self, name: str) -> None:
        train = load(name, "train")
        assert train["best_network"].keys() == load("bisenet", "train")["best_network"].keys()
        settings = train["best_network"]["settings"]
        assert settings["bundle"] == "NAME"
        saved = settings["options"]
        assert saved == {option: f"@{option}" for option in saved}
        built_of = set(re.findall(r"'@(\w+)'", str(train["network_def"])))
        assert {"spatial_size", *built_of} <= saved.keys()
        other = {*STAGES, "metadata", "demonstration", "multi_gpu_train"}
        for overlay in (REPOSITORY / "bundles" / name / "configs").glob("*.json"):
            if overlay.stem not in other:
                changed = load(name, overlay.stem).keys() & load(name, "inference").keys()
                assert changed - {"network_def"} <= saved.keys(), overlay
        for config in ("evaluate", "inference"):
            assert {option: train[option] for option in saved} == {o: load(name, config)[o] for o in saved}
            assert load(name, config)["initialize"][1:] == [
                "$fetal_monai.workflow.use_trained_settings(@bundle_root, @stage, @weights)"
            ]

    def test_training_evaluation_and_inference_show_the_network_the_same(self, name: str) -> None:
        train, evaluate, inference = (load(name, config) for config in STAGES)
        shown = of_the_image(train["train"]["deterministic_transforms"] + train["train"].get("to_network", []))
        assert shown == of_the_image(evaluate["preprocessing"]["transforms"])
        assert shown == of_the_image(inference["preprocessing"]["transforms"])
        random = [each["_target_"].split(".")[-1] for each in train["train"]["random_transforms"]]
        assert all(target.startswith("Rand") for target in random)
        assert not any(transform["_target_"].startswith("Rand") for transform in shown)

    def test_channels_and_size_are_those_of_the_metadata(self, name: str) -> None:
        image = load(name, "metadata")["network_data_format"]["inputs"]["image"]
        config = load(name, "inference")
        assert config["network_def"]["in_channels"] == image["num_channels"] == len(image["channel_def"])
        assert config["complexity"].endswith(f"(@network_def, ({image['num_channels']}, *@spatial_size))")
        assert config["spatial_size"] == image["spatial_shape"]

    def test_the_demonstration_changes_values_and_no_method(self, name: str) -> None:
        demonstration = load(name, "demonstration")
        own = {"about", "demonstration", "dataset_dir", "output_dir", "source", "table"}
        documented_options = set().union(*(documented(REPOSITORY / "bundles" / name, config) for config in STAGES))
        assert {f"--{key}" for key in demonstration.keys() - own} <= documented_options
        for config in STAGES:
            text = json.dumps(load(name, config))
            assert text.count("@demonstration") == text.count('"@demonstration"')  # reported only

    def test_the_table_with_personal_data_is_not_tracked(self, name: str) -> None:
        tracked = [
            artifact
            for handler in load(name, "inference")["handlers"]
            for artifact in handler.get("artifacts", [])
            if handler["_target_"].endswith("RunTracker")
        ]
        assert tracked
        assert not any("measurements.csv" in artifact for artifact in tracked)

    def test_metrics_that_are_named_exist(self, name: str) -> None:
        train, evaluate = load(name, "train"), load(name, "evaluate")
        validated = train["validate"]["key_metric"].keys() | train["validate"].get("additional_metrics", {}).keys()
        assert train["best_network"]["metric"] in validated
        if name not in segmentation_bundles():
            return  # its measures come from a report, not from metrics in the config
        evaluated = metrics(evaluate)
        (report,) = [each for each in evaluate["handlers"] if each["_target_"].endswith("EvaluationReport")]
        known = evaluated | report["facts"].keys()
        network = evaluate["network_def"]["_target_"].split(".")[-1]
        papers = [paper for paper in load_papers() if any(row.ours.get("network") == network for row in paper.rows)]
        for paper in papers:
            assert {column.key for column in paper.columns} <= known, paper.key

    def test_a_checkpoint_holds_every_object_with_a_state(self, name: str) -> None:
        train = load(name, "train")
        (state,) = [each for target, each in handlers(train, "train") if target == "TrainingState"]
        stateful = {"network", "discriminator", "best_network"} | {
            key for key in train if re.search(r"optimizer$|lr_scheduler$", key)
        }
        assert resolved(train, state["objects"]) == {key: f"@{key}" for key in stateful & train.keys()}

    def test_one_process_of_many_writes(self, name: str) -> None:
        train = load(name, "train")
        assert train["is_not_rank0"] is False
        assert load(name, "multi_gpu_train")["is_not_rank0"] == "$torch.distributed.get_rank() > 0"
        for engine in ("train", "validate"):
            for target, handler in handlers(train, engine):
                assert (handler.get("_disabled_") == "@is_not_rank0") == (target in WRITING), (engine, target)

    def test_a_handler_can_be_added_anywhere(self, name: str) -> None:
        folder = REPOSITORY / "bundles" / name / "configs"
        overlays = {path.stem for path in folder.glob("*.json")} - STAGES.keys() - {"metadata"}
        added = {"_target_": "NewHandler"}
        for overlay in overlays:
            for engine in ("train", "validate"):
                count = len(load(name, "train")[engine]["handlers"])
                for position in range(count + 1):
                    merged = []
                    for with_handler in (False, True):
                        train = copy.deepcopy(load(name, "train"))
                        if with_handler:
                            train[engine]["handlers"].insert(position, added)
                        parser = ConfigParser(train)
                        # As MONAI merges an overlay's keys, `section#key` ones included.
                        for key, value in load(name, overlay).items():
                            merge_kv(parser, key, copy.deepcopy(value))
                        merged.append(parser.config)
                    merged[1][engine]["handlers"].remove(added)
                    assert merged[0] == merged[1], (overlay, engine, position)

    def test_every_setting_is_documented_with_its_default(self, name: str) -> None:
        readme = (REPOSITORY / "bundles" / name / "docs" / "README.md").read_text()
        for config in STAGES:
            loaded = load(name, config)
            options = {option.removeprefix("--") for option in documented(REPOSITORY / "bundles" / name, config)}
            settings = {key for key, value in loaded.items() if value is None or isinstance(value, int | float)}
            assert settings - SWITCHES <= options <= loaded.keys()
        rows = re.findall(r"^\| `--(\w+)` \| train \| .*?\(([\d.]+)\) \|$", readme, re.MULTILINE)
        assert {"epochs", "batch_size", "seed"} <= {option for option, _ in rows}
        for option, stated in rows:
            assert ConfigParser(load(name, "train")).get_parsed_content(option) == float(stated), option

    def test_every_overlay_is_documented(self, name: str) -> None:
        folder = REPOSITORY / "bundles" / name
        overlays = {path.name for path in (folder / "configs").glob("*.json")}
        overlays -= {f"{config}.json" for config in STAGES} | {"metadata.json"}
        rows = [row for row in (folder / "docs" / "README.md").read_text().splitlines() if row.startswith("| `")]
        assert {file for row in rows for file in re.findall(r"`(\w+\.json)`", row.split(" | ")[0])} == overlays

    def test_large_files_are_left_to_large_files_yml(self, name: str) -> None:
        folder = REPOSITORY / "bundles" / name
        listing = folder / "large_files.yml"
        files = yaml.safe_load(listing.read_text())["large_files"] if listing.is_file() else []
        kept = [*folder.glob("*"), *folder.glob("[cd]o*/**/*"), folder / "models" / "model.pt"]
        large = {path for path in kept if path.is_file() and path.stat().st_size > 25 * 2**20}
        assert {path.relative_to(folder).as_posix() for path in large} <= {file["path"] for file in files}


@pytest.mark.parametrize("name", segmentation_bundles())
def test_a_prediction_that_is_no_number_fails_for_that_reason(name: str, tmp_path: Path) -> None:
    frame = write_picture(tmp_path / "frame.png", asymmetric_picture())
    parser = ConfigParser()
    parser.read_config(REPOSITORY / "bundles" / name / "configs" / "inference.json")
    parser.update({"dataset_dir": str(frame), "output_dir": str(tmp_path / "out")})
    (listed,) = parser.get_parsed_content("collection").frames
    item = parser.get_parsed_content("preprocessing")(listed)
    channels = load(name, "metadata")["network_data_format"]["outputs"]["pred"]["num_channels"]
    prediction = torch.zeros(channels, *item["image"].shape[1:])
    prediction[:, 100:110, 100] = math.nan
    head = parser.get_parsed_content("postprocessing")({**item, "pred": MetaTensor(prediction)})["pred_head"]
    assert isinstance(head, FailedEstimate)
    assert head.reason.startswith(f"{10 * channels} of {prediction.numel()} values in the network's output are NaN")


@pytest.mark.parametrize("from_file", [True, False])
@pytest.mark.parametrize("name", segmentation_bundles())
def test_postprocessing_stands_alone(
    name: str, from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MONAI Label runs it (one by one, without what saves) and MONAI Deploy (on images that are from no file)."""
    parser = ConfigParser()
    parser.read_config(REPOSITORY / "bundles" / name / "configs" / "inference.json")
    monkeypatch.chdir(tmp_path)
    preparing, processing = (parser.get_parsed_content(f"{when}processing") for when in ("pre", "post"))
    picture = asymmetric_picture()
    height, width = picture.shape
    item: dict[str, Any]
    if from_file:
        frame = write_picture(tmp_path / "frame.png", picture)
        item = preparing({"image": str(frame)})
        processing = Compose([each for each in processing.transforms if not isinstance(each, SaveImaged)])
    else:
        item = Compose(preparing.transforms[1:])({"image": MetaTensor(torch.from_numpy(picture).float())})
    channels = load(name, "metadata")["network_data_format"]["outputs"]["pred"]["num_channels"]
    rows, columns = item["image"].shape[1:]
    drawn = Ellipse(columns / 2, rows / 2, 0.3 * min(rows, columns), 0.2 * min(rows, columns), 0.0)
    prediction = torch.full((channels, rows, columns), -5.0)
    prediction[-1][torch.from_numpy(drawn.rasterise((rows, columns)))] = 5.0
    done = processing({**item, "pred": MetaTensor(prediction)})
    head = done["pred_head"]
    assert isinstance(head, HeadMeasurement)
    assert head.pixel_spacing_mm is None
    assert head.ellipse_px.center_x == pytest.approx(width / 2, abs=0.02 * width)
    assert done["pred"].shape == (1, height, width)
    assert {path.name for path in tmp_path.iterdir()} == ({"frame.png"} if from_file else set())


def test_overrides_of_one_default_have_one_row_in_the_readmes() -> None:
    rows: dict[tuple[str, str], set[str]] = {}
    for name in segmentation_bundles():
        readme: Path = REPOSITORY / "bundles" / name / "docs" / "README.md"
        for row, option in re.findall(r"^(\| `--(\w+)` \| .*)$", readme.read_text(), re.MULTILINE):
            defaults = json.dumps([load(name, config).get(option, "none") for config in STAGES])
            rows.setdefault((option, defaults), set()).add(re.sub(r"`\"\[rows.*", "", row))
    assert {option: texts for option, texts in rows.items() if len(texts) > 1} == {}
