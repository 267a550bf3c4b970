from __future__ import annotations

import contextlib
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.bundle_audit import audit_bundle
from tests.sharing.audit.hostile_configs import TRICKS, Trick


def write_bundle(folder: Path, config: dict[str, Any] | str, name: str = "train.json") -> Path:
    configs = folder / "bundle" / "configs"
    configs.mkdir(parents=True, exist_ok=True)
    (configs / name).write_text(config if isinstance(config, str) else json.dumps(config))
    return folder / "bundle"


def marked(trick: Trick, marker: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(json.dumps(trick.config).replace("MARK", str(marker)))
    return config


def refused(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [entry for entry in entries if entry.refused]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_a_trick_is_refused_for_its_reason_and_not_run(trick: Trick, tmp_path: Path) -> None:
    entries = audit_bundle(write_bundle(tmp_path, marked(trick, tmp_path / "marker")))
    assert any(trick.why in entry.why for entry in refused(entries)), entries
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if trick.works], ids=lambda trick: trick.name)
def test_a_trick_is_a_real_one(trick: Trick, tmp_path: Path) -> None:
    """MONAI runs it; otherwise the test above would prove nothing."""
    bundle = write_bundle(tmp_path, marked(trick, tmp_path / "marker"))
    parser = ConfigParser()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser.read_config(bundle / "configs" / "train.json")
        for key in trick.config:
            # The folder is created first; later errors do not matter.
            with contextlib.suppress(Exception):
                parser.get_parsed_content(key.lstrip("+").partition("#")[0])
    assert (tmp_path / "marker").is_dir()


HARMLESS = {
    "imports": ["$import os", "$import torch", "$import fetal_monai", "$from monai.data import decollate_batch"],
    "bundle_root": "$'.' if os.path.isfile('configs/metadata.json') else 'bundles/x'",
    "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
    "rank": "$int(os.environ['LOCAL_RANK']) if 'LOCAL_RANK' in os.environ else int(os.environ.get('RANK', 0))",
    "state": "$torch.load(@bundle_root + '/models/model.pt', map_location=@device, weights_only=True)",
    "network": {"_target_": "UNet", "spatial_dims": 2, "act": "$torch.nn.ReLU", "strides": [2, 2]},
    "name": "$type(@network).__name__.replace('U', 'V') + '/' + '{:.2f}'.format(0.1)",
    "size": "$[n * 2 for n in @network#strides if n > 1]",
    "reader": {
        "_target_": "LoadImaged",
        "keys": "image",
        "reader": ["PILReader", "$monai.data.ITKReader"],
        "_desc_": "a frame",
    },
    "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.001},
    "cudnn": "$setattr(torch.backends.cudnn, 'benchmark', True)",
    "key": "$monai.utils.CommonKeys.IMAGE",
    "classes": "$list(fetal_monai.data.ANATOMICAL_CLASSES)",
    "other": "%network",
    "decollate": "$decollate_batch",
}


# Typical content of the model zoo's bundles.
ZOO = {
    "imports": ["$import glob", "$import os", "$import ignite", "$import logging", "$import torch.distributed as dist"],
    "bundle_root": ".",
    "ckpt_dir": "$@bundle_root + '/models'",
    "output_dir": "$os.path.join(@bundle_root, 'eval')",
    "output_ext": ".nii.gz",
    "dataset_dir": "data",
    "images": "$list(sorted(glob.glob(os.path.join(@dataset_dir, 'imagesTr', '*.nii.gz'))))",
    "labels": "$[name.replace('.nii.gz', '_seg.nii.gz') for name in @images]",
    "datalist": "$monai.data.load_decathlon_datalist(@bundle_root + '/data/a.json', data_list_key='training')",
    "device": "$torch.device(f'cuda:{dist.get_rank()}' if torch.cuda.is_available() else 'cpu')",
    "backbone": "$monai.networks.nets.resnet.resnet50(spatial_dims=3, n_input_channels=1, conv1_t_size=[7, 7, 7])",
    "network_def": {"_target_": "FlexibleUNet", "in_channels": 3, "out_channels": 2, "backbone": "efficientnet-b2"},
    "network": "$torch.nn.SyncBatchNorm.convert_sync_batchnorm(@network_def.to(@device))",
    "optimizer": {"_target_": "Novograd", "params": "$@network.parameters()", "lr": 0.001},
    "transforms": [
        {"_target_": "LoadImaged", "keys": ["image", "label"], "image_only": False},
        {"_target_": "Lambdad", "keys": "label", "func": "$lambda x: x.reshape((1, *@grid))"},
        {"_target_": "TorchVisiond", "keys": "image", "name": "ColorJitter", "brightness": 0.25},
        {"_target_": "CastToTyped", "keys": "image", "dtype": "$(np.float32, np.int32)"},
        {"_target_": "RandAffined", "keys": "image", "mode": "$(monai.utils.GridSampleMode.BILINEAR, 'nearest')"},
    ],
    "preprocessing": {"_target_": "Compose", "transforms": "$@transforms + @transforms"},
    "grid": [3, 3],
    "data": "$[{'image': i, 'label': l} for i, l in zip(@images[:-9], @labels[:-9])]",
    "dataset": {"_target_": "CacheDataset", "data": "@data", "transform": "%preprocessing", "cache_rate": 1.0},
    "sub": "$torch.utils.data.random_split(@dataset, [0.8, 0.2])",
    "shape": "$@dataset[0]['image'].shape",
    "loader": {"_target_": "DataLoader", "dataset": "@dataset", "collate_fn": "$monai.data.utils.no_collation"},
    "handlers": [
        {"_target_": "CheckpointSaver", "save_dir": "@ckpt_dir", "save_dict": {"model": "@network"}}
        | {"save_key_metric": True, "key_metric_filename": "model.pt"},
        {"_target_": "TensorBoardStatsHandler", "log_dir": "@output_dir", "tag_name": "train_loss"}
        | {"output_transform": "$lambda x: monai.handlers.from_engine(['loss'], first=True)(x)[0]"},
        {"_target_": "MetricsSaver", "save_dir": "@output_dir", "metrics": ["val_mean_dice"], "summary_ops": "*"},
        {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_ext": "@output_ext"},
    ],
    "evaluator": {
        "_target_": "SupervisedEvaluator",
        "val_data_loader": "@loader",
        "val_handlers": "$None if dist.get_rank() > 0 else @handlers[: -2 if dist.get_rank() > 0 else None]",
        "key_val_metric": {"accuracy": {"_target_": "ignite.metrics.Accuracy"}},
    },
    "checkpointloader": {"_target_": "CheckpointLoader", "load_path": "$@ckpt_dir + '/model.pt'", "load_dict": {}},
    "initialize": [
        "$dist.is_initialized() or dist.init_process_group(backend='nccl')",
        "$setattr(torch.backends.cudnn, 'benchmark', True)",
        "$@evaluator.logger.setLevel(logging.WARNING if dist.get_rank() > 0 else logging.INFO)",
        "$@checkpointloader(@evaluator)",
    ],
    "run": ["$@evaluator.run()"],
}


def test_what_the_model_zoo_says_is_clean(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"evaluator#amp": False, "handlers#2#metrics": "*"}, "overlay.json")
    assert refused(audit_bundle(write_bundle(tmp_path, ZOO))) == []


def test_a_harmless_config_is_clean_and_its_parts_are_listed(tmp_path: Path) -> None:
    entries = audit_bundle(write_bundle(tmp_path, HARMLESS))
    assert refused(entries) == []
    listed = {(entry.kind, entry.place): entry for entry in entries}
    assert listed["target", "network#_target_"].why == "is monai.networks.nets.unet.UNet"
    assert listed["import", "imports#1"].what == "import torch"
    assert "torch.cuda.is_available" in listed["expression", "device"].why
    assert listed["path", "state"].what == "/models/model.pt"
    assert listed["macro", "other"].what == "%network"


def test_a_config_may_be_copied_from_another_of_the_bundle(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"net": {"_target_": "UNet"}}, "nets.json")
    assert refused(audit_bundle(write_bundle(tmp_path, {"x": "%configs/nets.json#net"}))) == []


def test_what_one_config_imports_the_others_see(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"x": "$np2.mean([1])", "y": "$os.getcwd()"}, "a.json")
    entries = audit_bundle(write_bundle(tmp_path, {"imports": ["$import os as np2", "$import os"]}, "b.json"))
    assert [entry.place for entry in refused(entries)] == ["x"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("train.json", '{"x": "$1", "x": "$2"}', "appears twice"),
        ("train.json", "{", "cannot be judged"),
        ("train.json", "[" * 100_000, "nests too deeply"),
        ("train.json", '{"x": "\\ud800"}\xff', "cannot be judged"),
        ("train.yaml", "x: !!python/object/apply:os.system ['true']", "the tag"),
        ("train.yaml", "x: 1\nx: 2", "appears twice"),
        ("train.yaml", "x: &a [1]\ny: [*a, *a]", "the alias"),
        ("train.yml", "x: $torch.os.mkdir('a')", "is the module os"),
        (
            "large_files.yml",
            "large_files: [{path: a, url: 'https://x.org/a', hash_val: 0, hash_type: md5}]",
            "sha256",
        ),
        ("large_files.yml", "large_files: [{path: ../a.pt, url: 'https://x.org/a'}]", "letters, digits"),
        ("large_files.yml", "large_files: [{path: cucim.py, url: 'https://x.org/a'}]", "ends with .onnx, .pt"),
        ("train.yaml", "x: {0x1: a, '1': b}", "is not a string"),
    ],
)
def test_a_file_that_could_be_read_in_two_ways_is_refused(tmp_path: Path, name: str, text: str, why: str) -> None:
    bundle = write_bundle(tmp_path, {})
    (bundle / name).write_text(text, encoding="latin-1")
    assert any(why in entry.why for entry in refused(audit_bundle(bundle)))


def test_a_download_with_a_sha256_is_listed(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, {})
    item = {"path": "models/model.pt", "url": "https://x.org/a", "hash_val": "ab" * 32, "hash_type": "sha256"}
    (bundle / "large_files.yml").write_text(json.dumps({"large_files": [item]}))
    entries = audit_bundle(bundle)
    assert refused(entries) == []
    assert ("download", "https://x.org/a") in {(entry.kind, entry.what) for entry in entries}
