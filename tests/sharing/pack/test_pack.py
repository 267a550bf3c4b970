from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from fetal_monai.sharing.audit.bundle_audit import audit_bundle
from fetal_monai.sharing.pack.__main__ import main
from fetal_monai.sharing.pack.bundle_pack import pack_bundle
from fetal_monai.sharing.pack.pack_result import PackError, PackResult
from fetal_monai.sharing.subpackage_init import is_reduced, read_init
from tests.sharing.pack.conftest import BUNDLES, REPOSITORY


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of a bundle without weights."""
    source = REPOSITORY / "bundles" / "dilated_unet"
    return shutil.copytree(source, tmp_path / "dilated_unet", ignore=shutil.ignore_patterns("output"))


def members(packed: PackResult) -> dict[str, bytes]:
    with zipfile.ZipFile(packed.path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES)
class TestOurBundles:
    def test_the_zoos_layout(self, packed: Mapping[str, PackResult], name: str) -> None:
        version = json.loads((REPOSITORY / "bundles" / name / "configs" / "metadata.json").read_text())["version"]
        assert packed[name].path.name == f"{name}_v{version}.zip"
        with zipfile.ZipFile(packed[name].path) as archive:
            assert {member.split("/")[0] for member in archive.namelist()} == {name}
            assert archive.testzip() is None
        required = {"LICENSE", "docs/README.md", "docs/data_license.txt", "configs/logging.conf"}
        required |= {f"configs/{config}.json" for config in ("metadata", "train", "evaluate", "inference")}
        assert required <= members(packed[name]).keys()

    def test_every_file_is_the_repositorys(self, packed: Mapping[str, PackResult], name: str) -> None:
        for member, content in members(packed[name]).items():
            source = REPOSITORY / ("" if member.startswith("fetal_monai/") else f"bundles/{name}") / member
            if content != source.read_bytes():
                assert source.name == "__init__.py"
                assert is_reduced(content, read_init(source, ".".join(Path(member).parent.parts)))

    def test_the_audit_of_the_zip_is_clean(self, packed: Mapping[str, PackResult], name: str) -> None:
        assert [entry for entry in audit_bundle(packed[name].path) if entry.refused] == []

    def test_metadata_pins_what_is_needed_and_no_more(self, packed: Mapping[str, PackResult], name: str) -> None:
        assert packed[name].unneeded_pins == ()

    def test_the_checksum_beside_it(self, packed: Mapping[str, PackResult], name: str) -> None:
        zip_file = packed[name].path
        stated = zip_file.with_name(f"{zip_file.name}.sha256").read_text()
        assert stated == f"{hashlib.sha256(zip_file.read_bytes()).hexdigest()}  {zip_file.name}\n"
        assert packed[name].sha256 in stated


class TestLeast:
    def test_a_bundle_of_frames_carries_no_video(self, packed: Mapping[str, PackResult]) -> None:
        assert "fetal_monai/data/io/cine/video.py" not in packed["bisenet"].sizes
        assert "fetal_monai/data/io/cine/video.py" in packed["soft_proposal"].sizes

    def test_only_the_own_network(self, packed: Mapping[str, PackResult]) -> None:
        networks = {Path(name).stem for name in packed["bisenet"].sizes if name.startswith("fetal_monai/networks/")}
        assert networks == {"__init__", "bisenet", "complexity"}

    def test_data_that_a_module_reads_comes_along(self, packed: Mapping[str, PackResult]) -> None:
        assert "fetal_monai/data/preparation/ellipse_label.xsd" in packed["dilated_unet"].sizes
        assert "fetal_monai/data/preparation/ellipse_label.xsd" not in packed["bisenet"].sizes

    def test_no_tools(self, packed: Mapping[str, PackResult]) -> None:
        subpackages = {
            name.split("/")[1] for one in packed.values() for name in one.sizes if name.startswith("fetal_monai/")
        }
        assert not subpackages & {"sharing", "comparison", "phantom"}


class TestReproducible:
    def test_two_checkouts_give_one_zip(self, packed: Mapping[str, PackResult], bundle: Path, tmp_path: Path) -> None:
        for file in bundle.rglob("*.json"):
            file.chmod(0o600)
            os.utime(file, (0, 0))
        again = pack_bundle(bundle, tmp_path / "again")
        assert again.path.read_bytes() == packed["dilated_unet"].path.read_bytes()

    def test_the_date_is_fixed_or_stated(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        dates = []
        for epoch in ("0", "1700000000"):
            monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
            with zipfile.ZipFile(pack_bundle(bundle, tmp_path).path) as archive:
                dates += list({member.date_time for member in archive.infolist()})
        assert dates == [(1980, 1, 1, 0, 0, 0), (2023, 11, 14, 22, 13, 20)]


class TestLeftOut:
    def test_what_is_no_part_of_it(self, packed: Mapping[str, PackResult], bundle: Path, tmp_path: Path) -> None:
        left = ["output/train/model.pt", "mlruns/mlruns.db", "configs/.hidden.json", "docs/__pycache__/x.pyc", "a.md"]
        for name in left:
            (bundle / name).parent.mkdir(parents=True, exist_ok=True)
            (bundle / name).write_text("x")
        again = pack_bundle(bundle, tmp_path)
        assert again.sha256 == packed["dilated_unet"].sha256
        # The demonstration names the simulator, which no pack contains.
        assert sorted(again.left_out) == sorted([*left, "configs/demonstration.json"])


class TestRefused:
    def refused(self, bundle: Path, match: str) -> None:
        output = bundle.parent / "dist"
        with pytest.raises(PackError, match=match):
            pack_bundle(bundle, output)
        assert not output.exists()

    def test_no_bundle(self, tmp_path: Path) -> None:
        (tmp_path / "configs").mkdir()
        self.refused(tmp_path, "is not a bundle: it has no configs/metadata.json")

    def test_what_the_audit_refuses(self, bundle: Path) -> None:
        edit(bundle / "configs" / "train.json", lambda config: config.update(device="$torch.os.system('id')"))
        self.refused(bundle, "the audit refuses 1 entries, the first in configs/train.json, device: .*torch.os")

    def test_a_pickle_that_is_a_program(self, bundle: Path) -> None:
        (bundle / "models").mkdir(exist_ok=True)
        torch.save(torch.nn.Identity(), bundle / "models" / "model.pt")
        self.refused(bundle, "models/model.pt, .*torch.nn.modules.linear Identity")

    def test_a_link_to_weights(self, bundle: Path) -> None:
        (bundle / "models").symlink_to(bundle / "docs")
        self.refused(bundle, "models: .*a link")

    def test_a_version_without_changelog(self, bundle: Path) -> None:
        edit(bundle / "configs" / "metadata.json", lambda metadata: metadata.update(version="0.2.0"))
        self.refused(bundle, "the changelog has no entry '0.2.0'")

    def test_a_name_that_climbs(self, bundle: Path) -> None:
        edit(bundle / "configs" / "metadata.json", lambda metadata: metadata.update(bundle="../x"))
        self.refused(bundle, "bundle is '../x'")

    def test_an_import_without_a_pin(self, bundle: Path) -> None:
        edit(bundle / "configs" / "metadata.json", lambda meta: meta["required_packages_version"].pop("pillow"))
        self.refused(bundle, r"pins no version for required_packages_version#pillow \(for fetal_monai\.")

    def test_a_package_that_monai_imports_later(self, bundle: Path) -> None:
        edit(bundle / "configs" / "metadata.json", lambda meta: meta["required_packages_version"].pop("tqdm"))
        self.refused(bundle, r"required_packages_version#tqdm \(for ProgressBar\)")

    def test_a_large_file(self, bundle: Path) -> None:
        (bundle / "models").mkdir(exist_ok=True)
        with (bundle / "models" / "model.safetensors").open("wb") as file:
            file.write(b"\x02\0\0\0\0\0\0\0{}")
            file.truncate(26 * 2**20)
        self.refused(bundle, "model.safetensors has 26.0 MiB; the model zoo accepts 25.*large_files.yml")


class TestLargeFiles:
    CONTENT = b"\x02\0\0\0\0\0\0\0{}"

    def listing(self, bundle: Path, sha256: str) -> None:
        entry = {"path": "models/model.safetensors", "url": "https://example.org/x", "hash_val": sha256}
        (bundle / "large_files.yml").write_text(json.dumps({"large_files": [{**entry, "hash_type": "sha256"}]}))

    def test_a_listed_one_is_not_packed_but_reported(self, bundle: Path, tmp_path: Path) -> None:
        sha256 = hashlib.sha256(self.CONTENT).hexdigest()
        self.listing(bundle, sha256)
        (bundle / "models").mkdir(exist_ok=True)
        (bundle / "models" / "model.safetensors").write_bytes(self.CONTENT)
        done = pack_bundle(bundle, tmp_path)
        assert [(file.name, file.sha256) for file in done.large_files] == [("models/model.safetensors", sha256)]
        assert "models/model.safetensors" not in members(done)
        assert "large_files.yml" in members(done)

    def test_another_one_than_is_listed(self, bundle: Path) -> None:
        self.listing(bundle, "0" * 64)
        (bundle / "models").mkdir(exist_ok=True)
        (bundle / "models" / "model.safetensors").write_bytes(self.CONTENT)
        TestRefused().refused(bundle, "but the list of large files states 0000")


class TestHostileCode:
    """Code in a packed bundle may be reduced, but must not be changed."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("\n__all__", "from os import system\n\n__all__"),
            ("\n__all__", "print()\n\n__all__"),
            ('__all__ = ["AutocastInferer"', '__all__ = ["Evil"'),
            ("import AutocastInferer", "import LocalisationInferer as AutocastInferer"),
        ],
    )
    def test_a_changed_subpackage_init_is_refused(
        self, packed: Mapping[str, PackResult], tmp_path: Path, old: str, new: str
    ) -> None:
        with zipfile.ZipFile(packed["dilated_unet"].path) as archive:
            archive.extractall(tmp_path)
        init = tmp_path / "dilated_unet" / "fetal_monai" / "inferers" / "__init__.py"
        assert old in init.read_text()
        init.write_text(init.read_text().replace(old, new))
        refused = [entry.file for entry in audit_bundle(tmp_path / "dilated_unet") if entry.refused]
        assert refused == ["fetal_monai/inferers/__init__.py"]


class TestCommand:
    def test_it_says_what_it_packed(self, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (bundle / "output").mkdir()
        (bundle / "output" / "x.csv").write_text("x")
        assert main([str(bundle), "--output_dir", str(tmp_path / "dist")]) == 0
        out = capsys.readouterr().out
        assert "dilated_unet_v0.1.0.zip" in out
        assert "not packed: output (1 files)" in out
        (zip_file,) = (tmp_path / "dist").glob("*.zip")
        assert f"sha256 {hashlib.sha256(zip_file.read_bytes()).hexdigest()}" in out

    def test_the_others_are_packed_when_one_is_refused(
        self, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([str(tmp_path / "nowhere"), str(bundle), "--output_dir", str(tmp_path / "dist")]) == 1
        captured = capsys.readouterr()
        assert "nowhere" in captured.err
        assert "dilated_unet_v0.1.0.zip" in captured.out

    def test_help_is_quick_and_teaches(self) -> None:
        command = [sys.executable, "-X", "importtime", "-m", "fetal_monai.sharing.pack", "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "exit code" in done.stdout
        assert "| monai" not in done.stderr


@pytest.mark.parametrize("name", BUNDLES)
class TestReadme:
    """The document in a pack names nothing that only a checkout has, unless it says so."""

    CHECKOUT = "# in a checkout of fetal_monai"

    def blocks(self, packed: PackResult) -> list[str]:
        return re.findall(r"```sh\n(.*?)```", members(packed)["docs/README.md"].decode(), re.DOTALL)

    def test_commands_need_nothing_but_the_pack(self, packed: Mapping[str, PackResult], name: str) -> None:
        commands = [block for block in self.blocks(packed[name]) if not block.startswith(self.CHECKOUT)]
        configs = {config for block in commands for config in re.findall(r"configs/\w+\.json", block)}
        assert {"configs/train.json", "configs/evaluate.json", "configs/inference.json"} <= configs
        assert configs <= packed[name].sizes.keys()
        for block in commands:
            assert set(re.findall(r"-m ([\w.]+)", block)) <= {"monai.bundle"}
            assert "bundles/" not in block
            assert block.count("monai.bundle run ") == block.count("--dataset_dir")  # without it, the demonstration

    def test_it_says_what_needs_a_checkout(self, packed: Mapping[str, PackResult], name: str) -> None:
        assert any(block.startswith(self.CHECKOUT) for block in self.blocks(packed[name]))
        text = " ".join(members(packed[name])["docs/README.md"].decode().split())
        assert f"Blocks that begin with `{self.CHECKOUT}` are typed in the root of the project's checkout" in text
        assert "Exports and `monai.bundle.load` need the bundle's folder as working directory." in text
