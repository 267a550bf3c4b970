from __future__ import annotations

import contextlib
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from fetal_monai.sharing.bundle_audit import audit_bundle
from fetal_monai.sharing.entry import Entry
from tests.sharing.hostile_configs import TRICKS, Trick


def write_bundle(folder: Path, config: dict[str, Any] | str, name: str = "train.json") -> Path:
    configs = folder / "bundle" / "configs"
    configs.mkdir(parents=True, exist_ok=True)
    (configs / name).write_text(config if isinstance(config, str) else json.dumps(config))
    return folder / "bundle"


def marked(trick: Trick, marker: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(json.dumps(trick.config).replace("MARK", str(marker)))
    return config


def refused(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.refused]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_a_trick_is_refused_for_its_reason_and_not_run(trick: Trick, tmp_path: Path) -> None:
    entries = audit_bundle(write_bundle(tmp_path, marked(trick, tmp_path / "marker")))
    assert any(trick.why in entry.why for entry in refused(entries)), entries
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if trick.works], ids=lambda trick: trick.name)
def test_a_trick_is_a_real_one(trick: Trick, tmp_path: Path) -> None:
    """MONAI runs it: else the test above would prove nothing."""
    bundle = write_bundle(tmp_path, marked(trick, tmp_path / "marker"))
    parser = ConfigParser()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser.read_config(bundle / "configs" / "train.json")
        for key in trick.config:
            # The folder is made first; what MONAI thinks of the result does not matter.
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
    "sections": "$list(fetal_monai.data.datalist.SECTIONS)",
    "other": "%network",
    "decollate": "$decollate_batch",
}


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
        ("train.json", '{"x": "$1", "x": "$2"}', "there twice"),
        ("train.json", "{", "cannot be judged"),
        ("train.json", "[" * 100_000, "nests too deeply"),
        ("train.json", '{"x": "\\ud800"}\xff', "cannot be judged"),
        ("train.yaml", "x: !!python/object/apply:os.system ['true']", "the tag"),
        ("train.yaml", "x: 1\nx: 2", "there twice"),
        ("train.yaml", "x: &a [1]\ny: [*a, *a]", "the alias"),
        ("train.yml", "x: $torch.os.mkdir('a')", "is the module os"),
        (
            "large_files.yml",
            "large_files: [{path: a, url: 'https://x.org/a', hash_val: 0, hash_type: md5}]",
            "sha256",
        ),
        ("large_files.yml", "large_files: [{path: ../a.pt, url: 'https://x.org/a'}]", "climbs out"),
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
