import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from fetal_monai.tracking import EXPERIMENT, create_store
from fetal_monai.tracking.moved_store import main


def test_a_moved_store_finds_its_artifacts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old" / "mlruns", tmp_path / "new" / "mlruns"
    create_store(f"sqlite:///{old / 'mlruns.db'}")
    client = mlflow.MlflowClient(f"sqlite:///{old / 'mlruns.db'}")
    # As MONAI's handler creates it.
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    elsewhere = client.create_experiment("elsewhere", artifact_location="s3://bucket/mlruns/1")
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "27 mm", "measured.txt")
    new.parent.mkdir()
    shutil.move(old, new)
    moved = mlflow.MlflowClient(f"sqlite:///{new / 'mlruns.db'}")
    with pytest.raises((MlflowException, OSError)):
        moved.download_artifacts(run_id, "measured.txt")

    assert main([str(new / "mlruns.db")]) == 0

    assert "1 runs" in capsys.readouterr().out
    assert Path(moved.download_artifacts(run_id, "measured.txt")).read_text() == "27 mm"
    assert moved.get_experiment(elsewhere).artifact_location == "s3://bucket/mlruns/1"
    moved.log_text(moved.create_run(experiment).info.run_id, "more", "more.txt")
    assert not old.exists()
    assert main([str(new / "mlruns.db")]) == 0
    assert "0 runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "folder", "message"),
    [(None, True, "does not exist. Move"), ("text", True, "is not an MLflow store"), ("", False, "does not exist")],
)
def test_what_is_no_store_is_told(
    tmp_path: Path, content: str | None, folder: bool, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "mlruns.db").write_text(content * 100)
    if folder:
        (tmp_path / "mlruns").mkdir()
    assert main([str(tmp_path / "mlruns.db")]) == 2
    assert message in capsys.readouterr().err
