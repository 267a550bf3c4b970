"""Own images and masks without pixel spacing, folds and another loss, from the folder to the results."""

import csv
import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from data_prep.mask_folder import main
from fetal_monai.data import fingerprint, load_datalist
from tests.bundles.conftest import REPOSITORY, Run
from tests.hc18_layout import SHAPE, head_of

BUNDLE = REPOSITORY / "bundles" / "bisenet"
NAMES = [f"{exam:03d}_{frame}.png" for exam in range(4) for frame in range(2)]


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    random = np.random.default_rng(0)
    for name in NAMES:
        head = head_of(name).rasterise(SHAPE)
        pictures = {"images": np.where(head, 160, 60) + random.integers(0, 40, SHAPE), "masks": head}
        for part, pixels in pictures.items():
            (folder / part).mkdir(exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / part / name)
    folders = ["--images", str(folder / "images"), "--masks", str(folder / "masks")]
    assert main([*folders, "--output_dir", str(folder / "prepared"), "--folds", "4"]) == 0
    return folder / "prepared"


@pytest.mark.slow
def test_a_fold_with_another_loss_trains_and_evaluates_without_millimetres(
    bundle: Path, own_data: Path, tmp_path: Path, call: Run
) -> None:
    loss = {"_target_": "DiceCELoss", "to_onehot_y": True, "softmax": True}
    (tmp_path / "dice_ce.json").write_text(json.dumps({"loss": loss}))
    common = ["--dataset_dir", str(own_data), "--fold", "2", "--spatial_size", "[64,64]"]
    overlaid = str([str(bundle / "configs" / "train.json"), str(tmp_path / "dice_ce.json")])
    folders = ["--bundle_root", str(bundle), "--output_dir"]
    call("run", "--config_file", overlaid, *folders, "out", "--epochs", "1", *common, cwd=tmp_path)
    weights = ["--weights", "out/model.pt"]
    config = str(bundle / "configs" / "evaluate.json")
    call("run", "--config_file", config, *folders, "evaluated", *weights, *common, cwd=tmp_path)

    client = mlflow.MlflowClient(f"sqlite:///{bundle.parent.parent}/mlruns/mlruns.db")
    for folder, section in (("out", "training"), ("evaluated", "test")):
        name = (tmp_path / folder / "mlflow_run.txt").read_text()
        (run,) = client.search_runs(["1"], f"run_name = '{name}'")
        (used,) = run.inputs.dataset_inputs
        assert (used.dataset.name, used.dataset.digest) == ("own data", fingerprint(own_data))
        assert json.loads(used.dataset.source)["uri"] == own_data.as_uri()
        assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", section)]

    summary = json.loads((tmp_path / "evaluated/summary.json").read_text())
    assert 0 <= summary["dice"] <= 1
    in_mm = [name for name in summary if name.endswith("_mm")]
    assert len(in_mm) == 6 and all(summary[name] is None for name in in_mm)
    with (tmp_path / "evaluated/per_image.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [Path(f["image"]).name for f in load_datalist(own_data, "test", 2)]
