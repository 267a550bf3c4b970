"""The files that describe the project agree with one another."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import fetal_monai
from fetal_monai.phantom import write_phantoms

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "pytorch-ignite": "ignite"}


@pytest.fixture
def project() -> dict[str, Any]:
    return settings()["project"]


def settings() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def test_conda_environment_states_the_same_requirements(project: dict[str, Any]) -> None:
    required = re.findall(r"^([\w-]+)(.*)$", "\n".join(project["dependencies"]), re.MULTILINE)
    expected = {CONDA_NAMES.get(name, name) + versions for name, versions in required}
    expected |= {f"python{project['requires-python']}", "pip"}
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    assert {entry for entry in environment["dependencies"] if isinstance(entry, str)} == expected


def test_conda_installs_the_checkout_with_pip(tmp_path: Path) -> None:
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    (for_pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    requirements = tmp_path / "requirements.txt"  # as conda writes it
    requirements.write_text("\n".join(for_pip))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "-r", str(requirements)], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would install fetal" in done.stdout


def test_versions_agree(project: dict[str, Any]) -> None:
    assert project["version"] == fetal_monai.__version__


def test_readme_has_one_command_each_to_run_and_to_test() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert len(re.findall(r"^python3 -m venv .*monai\.bundle run", readme, re.MULTILINE)) == 1
    assert len(re.findall(r"^python3 -m venv .*bin/pytest.*$", readme, re.MULTILINE)) == 1


@pytest.mark.slow
def test_the_python_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    write_phantoms(tmp_path, count=1, seed=4)
    shutil.copy(tmp_path / "training_set" / "000_HC.png", tmp_path / "frame.png")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    status, circumference_mm, *_ = capsys.readouterr().out.split()
    assert status in ("measured", "check")
    assert 50 < float(circumference_mm) < 400


@pytest.mark.parametrize("bundle", sorted(path.name for path in (REPOSITORY / "bundles").iterdir()))
def test_bundles_carry_the_licence(bundle: str) -> None:
    assert (REPOSITORY / "bundles" / bundle / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()


def test_licence_names_the_copyright_owner(project: dict[str, Any]) -> None:
    (author,) = project["authors"]
    assert re.search(rf"^   Copyright 20\d\d {author['name']}$", (REPOSITORY / "LICENSE").read_text(), re.MULTILINE)


def test_metadata_states_the_scores_of_the_front_page() -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    rows = {line[3 : line.index("]")]: line.split(" | ")[2:4] for line in lines if line.startswith("| [")}
    assert rows.keys() == {path.name for path in (REPOSITORY / "bundles").iterdir()}
    for name, columns in rows.items():
        scores = json.loads((REPOSITORY / "bundles" / name / "configs" / "metadata.json").read_text())["eval_metrics"]
        percent, error_mm = (column.split(" ")[0] for column in columns)
        assert 100 * scores.get("mean_dice", scores.get("mean_accuracy")) == pytest.approx(float(percent), abs=0.051)
        if "mean_dice" in scores:
            assert scores["head_circumference_mae_mm"] == pytest.approx(float(error_mm), abs=0.051)
