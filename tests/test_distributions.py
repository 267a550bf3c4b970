"""The wheel and the source distribution, built and installed as on another computer."""

from __future__ import annotations

import email
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from fetal_monai.bundle_folder import bundle_folder, bundle_names
from fetal_monai.phantom import write_phantoms

REPOSITORY = Path(__file__).parents[1]

READ_BUNDLES = """
import hashlib, json
from fetal_monai.bundle_folder import bundle_folder, bundle_names
weights = bundle_folder("bisenet") / "models" / "model.pt"
print(json.dumps({
    "folders": {name: str(bundle_folder(name)) for name in bundle_names()},
    "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
}))
"""


def run(*command: str, cwd: Path = REPOSITORY, **environment: str) -> str:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def kept(*folders: str) -> set[str]:
    """The files of some folders that git keeps."""
    return set(run("git", "ls-files", "--cached", "--others", "--exclude-standard", *folders).splitlines())


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, made without the network."""
    folder = tmp_path_factory.mktemp("distributions")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed away from the checkout."""
    folder = tmp_path_factory.mktemp("site")
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


class TestCheckout:
    def test_bundles_are_beside_the_package(self) -> None:
        assert {name: bundle_folder(name) for name in bundle_names()} == {
            path.name: path for path in (REPOSITORY / "bundles").iterdir()
        }

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"no bundle 'unet' in .*bundles: expected one of bisenet, dilated_unet"):
            bundle_folder("unet")


@pytest.mark.slow
class TestDistributions:
    def test_the_package_index_accepts_them(self, distributions: Path) -> None:
        run(sys.executable, "-m", "twine", "check", "--strict", *map(str, distributions.iterdir()))

    def test_the_wheel_holds_the_package_and_the_bundles(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == {re.sub("^bundles/", "fetal_monai/_bundles/", name) for name in kept("fetal_monai", "bundles")}

    def test_the_source_distribution_holds_all_that_git_keeps(self, distributions: Path) -> None:
        (source,) = distributions.glob("*.tar.gz")
        with tarfile.open(source) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert names == {*kept(), "PKG-INFO"}

    def test_links_of_its_description_work_anywhere(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            message = email.message_from_bytes(archive.read(metadata))
        description = str(message.get_payload())
        links = re.findall(r"\]\((.*?)\)", description)
        assert len(links) >= 2
        assert [link for link in links if not link.startswith("https://")] == []
        assert "mermaid" not in description
        assert message.get_all("Project-URL")

    def test_bundles_are_found_where_it_is_installed(self, site: Path, tmp_path: Path) -> None:
        found = json.loads(run(sys.executable, "-c", READ_BUNDLES, cwd=tmp_path, PYTHONPATH=str(site)))
        assert found["folders"] == {name: str(site / "fetal_monai" / "_bundles" / name) for name in bundle_names()}
        shipped = bundle_folder("bisenet") / "models" / "model.pt"
        assert found["weights"] == hashlib.sha256(shipped.read_bytes()).hexdigest()

    def test_the_installed_command_measures_with_the_shipped_weights(self, site: Path, tmp_path: Path) -> None:
        write_phantoms(tmp_path / "phantoms", count=1, seed=4)
        frame = tmp_path / "phantoms" / "training_set" / "000_HC.png"
        command = (str(site / "bin" / "fetal-monai"), "measure", str(frame), "--pixel-spacing-mm", "0.15")
        printed = run(*command, cwd=tmp_path, PYTHONPATH=str(site))
        assert "000_HC.png" in printed
        (row,) = json.loads((tmp_path / "measurements_1" / "measurements.json").read_text())["measurements"]
        assert row["status"] in ("measured", "check")
        copied = run(str(site / "bin" / "fetal-monai"), "bundle", "dilated_unet", cwd=tmp_path, PYTHONPATH=str(site))
        assert (tmp_path / copied.strip() / "configs" / "train.json").is_file()
