"""The example of the documents that adds a whole model to a run."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import torch

from fetal_monai.tracking import create_store
from fetal_monai.weights import load_weights

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_tracking_uri(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example sets MLflow's address of the store for the whole process."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    yield
    mlflow.set_tracking_uri(None)


@pytest.mark.slow
def test_the_logged_model_computes_what_the_network_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    store = f"sqlite:///{tmp_path}/mlruns.db"
    create_store(store)
    run_id = mlflow.MlflowClient(store).create_run("0").info.run_id
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "comparing.md").read_text(), re.DOTALL)
    (example,) = [block for block in blocks if "log_model" in block]
    example = example.replace("sqlite:///mlruns/mlruns.db", store).replace('run_id="..."', f'run_id="{run_id}"')
    # The smallest size at which its layers have something to pool: the export is quicker.
    names: dict[str, Any] = {}
    exec(example.replace("256, 384", "64, 96"), names)
    (model,) = mlflow.MlflowClient(store).search_logged_models(["0"])
    loaded = mlflow.pytorch.load_model(model.model_uri)
    network = load_weights(names["network"], REPOSITORY / "bundles/bisenet/models/model.pt").eval()
    frames = torch.rand(3, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(frames), network(frames))
