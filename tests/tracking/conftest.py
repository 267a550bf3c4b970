"""Stores for the tests of tracking."""

from pathlib import Path

import pytest

from fetal_monai.tracking import create_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a store without runs, to copy: MLflow takes a second to create one."""
    database = tmp_path_factory.mktemp("store") / "mlruns.db"
    create_store(f"sqlite:///{database}")
    return database
