from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real frames that FETAL_MONAI_DATA names; the test is skipped where it is not set."""
    if "FETAL_MONAI_DATA" not in os.environ:
        pytest.skip("FETAL_MONAI_DATA does not name the folder of real data (hc18/, frustum/)")
    folder = Path(os.environ["FETAL_MONAI_DATA"])
    assert folder.is_dir(), f"FETAL_MONAI_DATA={folder} is no folder"
    return folder
