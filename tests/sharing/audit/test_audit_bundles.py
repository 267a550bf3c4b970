"""The audit refuses bundles that run code when MONAI runs them, without running any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fetal_monai.sharing.audit.bundle_audit import audit_bundle
from tests.sharing.audit.hostile_bundles import ATTACKS, ENTRY_POINTS, MARKED, Attack


def write(attack: Attack, folder: Path) -> Path:
    for path in attack.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(attack.content(path))
    return folder


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_is_refused_for_its_reason_and_not_run(attack: Attack, tmp_path: Path) -> None:
    entries = audit_bundle(write(attack, tmp_path / "bundle"))
    refused = [entry for entry in entries if entry.refused]
    assert any(attack.why in entry.why or attack.why in entry.what for entry in refused), entries
    assert not (tmp_path / "bundle" / MARKED).exists()


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bool]:
    """Whether each attack succeeds, by name. All run in one process, since importing MONAI takes longer."""
    root = tmp_path_factory.mktemp("attacks")
    working = [attack for attack in ATTACKS if attack.works and attack is not ENTRY_POINTS]
    folders = [str(write(attack, root / str(index))) for index, attack in enumerate(working)]
    bundles = json.dumps([(folder, attack.configs) for folder, attack in zip(folders, working, strict=True)])
    temporary = root / "temporary"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.sharing.audit.run_bundles"],
        input=bundles,
        capture_output=True,
        text=True,
        cwd=write(ENTRY_POINTS, root / "started"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ran = json.loads(done.stdout.splitlines()[-1])
    made = {ENTRY_POINTS.name: any(temporary.iterdir())}
    return made | {attack.name: ran[folder] for folder, attack in zip(folders, working, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.works], ids=lambda attack: attack.name)
def test_it_is_a_real_one(attack: Attack, marked: Mapping[str, bool]) -> None:
    """MONAI runs it; otherwise the test above would prove nothing."""
    assert marked[attack.name]
