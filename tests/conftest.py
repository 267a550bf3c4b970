from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

# What the processes of `forked.py` need not import again. Nothing is imported before the first of them starts.
multiprocessing.set_forkserver_preload(
    [
        *("monai.bundle", "fetal_monai.data", "fetal_monai.engines", "fetal_monai.handlers", "fetal_monai.losses"),
        *("fetal_monai.networks", "fetal_monai.phantom", "fetal_monai.tracking", "fetal_monai.transforms"),
    ]
)

# MLflow reports its use from a thread of its own, which imports modules while MONAI goes through `sys.modules`.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers share the cores already: more threads would only wait for each other, in the commands they start too.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real frames that FETAL_MONAI_DATA names; the test is skipped where it is not set."""
    if "FETAL_MONAI_DATA" not in os.environ:
        pytest.skip("FETAL_MONAI_DATA does not name the folder of real data (hc18/, frustum/)")
    folder = Path(os.environ["FETAL_MONAI_DATA"])
    assert folder.is_dir(), f"FETAL_MONAI_DATA={folder} is no folder"
    return folder
