from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install fetal-monai[cluster]")

from fetal_monai.cli.main import main
from fetal_monai.cohort.cohort_source import open_cohort
from fetal_monai.cohort.schema import parquet_table
from fetal_monai.measurement import HeadMeasurer
from fetal_monai.measurement.item_row import item_row
from fetal_monai.measurement.measure_frames import measure_frames
from fetal_monai.phantom import write_phantoms
from fetal_monai.reporting.measurement_row import MEASUREMENT_COLUMNS
from fetal_monai.tracking import EXPERIMENT
from tests.frame_files import cut

pytestmark = pytest.mark.slow

OPTIONS = ["--pixel-spacing-mm", "0.15", "--files-per-part", "2", "--cores", "2", "--object-store-mib", "100"]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    write_phantoms(tmp_path / "all", count=8, seed=4)
    frames = tmp_path / "frames"
    frames.mkdir()
    for frame in (tmp_path / "all" / "training_set").glob("*_HC.png"):
        frame.rename(frames / frame.name)
    cut(sorted(frames.iterdir())[5])
    return frames


def test_a_command_that_was_killed_continues_and_ends_as_one_that_was_not(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    out = tmp_path / "out"
    command = ["cohort", str(frames), str(out), *OPTIONS]
    process = subprocess.Popen([sys.executable, "-m", "fetal_monai", *command, "--quiet"])
    while process.poll() is None and not list(out.glob("part-*.parquet")):
        time.sleep(0.02)
    process.kill()
    assert process.wait() < 0, "it ended before it was killed"
    kept = {part: part.stat().st_mtime_ns for part in out.glob("part-*.parquet")}

    assert main(command) == 1  # one file failed
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    source = open_cohort(str(frames), pixel_spacing_mm=0.15)
    rows = [item_row(item, frames) for item in measure_frames(source.frames, HeadMeasurer())]
    table = pq.read_table(sorted(out.glob("part-*.parquet")))
    assert table.select(MEASUREMENT_COLUMNS).equals(parquet_table(rows).select(MEASUREMENT_COLUMNS))
    assert set(table["engine"].to_pylist()) == {HeadMeasurer().runtime.engine}

    page = (out / "summary.md").read_text()
    assert "| failed | 1 | 16.67 |" in page and rows[5]["reason"].partition(";")[0] in page
    assert (out / "summary.png").read_bytes().startswith(b"\x89PNG")
    assert "1 failed" in capsys.readouterr().out
    client = mlflow.MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics["frames_failed"] == 1
    assert run.data.tags["stage"] == "cohort" and run.info.status == "FINISHED"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["summary.md", "summary.png"]
